// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;

/** An image classifier with libtorch's autograd. Calls but {@link #classify} need an open PointerScope. */
public interface EagerClassifier extends AutoCloseable {

  /**
   * Classifies.
   *
   * @param images (n, 3, h, w), normalised
   * @param training true: batch statistics, of which running ones are updated, dropout and stochastic depth
   * @return logits (n, classes)
   */
  Tensor forward(Tensor images, boolean training);

  /**
   * The trainable tensors, in the order of the given weights.
   *
   * @return leaves of the graph, owned by this network
   */
  List<Tensor> trainable();

  /**
   * Classifies without gradients, with running statistics. Opens its own PointerScope.
   *
   * @param images (n, 3, size, size), normalised
   * @param n images
   * @param size height and width
   * @return logits (n, classes)
   */
  default float[] classify(float[] images, int n, int size) {
    try (PointerScope scope = new PointerScope()) {
      new InferenceMode(true); // ends with the scope
      Tensor logits = forward(Tensor.create(images, n, 3, size, size), false).contiguous();
      float[] values = new float[Math.toIntExact(logits.numel())];
      new FloatPointer(logits.data_ptr()).get(values);
      return values;
    }
  }

  @Override
  void close();
}
