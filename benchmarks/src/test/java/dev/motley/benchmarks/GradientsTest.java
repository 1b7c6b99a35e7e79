// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.benchmarks.eager.EagerClassifier;
import dev.motley.benchmarks.eager.EagerClassifiers;
import dev.motley.benchmarks.eager.EagerOptions;
import dev.motley.benchmarks.eager.EagerTrainer;
import dev.motley.ffi.NativeClassifier;
import dev.motley.ffi.NativeTrainer;
import dev.motley.weights.TensorView;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.assertj.core.api.SoftAssertions;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;

/** Every gradient of the trainer against libtorch's autograd in float64. */
class GradientsTest {

  private static final int IMAGES = 32;

  /** Of libtorch's own error in float32: the project's tolerance. */
  private static final double ALLOWED = 2;

  /** Below this share of a gradient's norm, both are rounding. */
  private static final double ROUNDING = 1e-7;

  private final NativeClassifier classifier = Workloads.classifier("resnet50", 2);
  private final Map<String, TensorView> weights = Workloads.weights(classifier);
  private final float[] images =
      Workloads.normals(4, IMAGES * 3 * Workloads.IMAGE_SIZE * Workloads.IMAGE_SIZE);
  private final int[] labels = IntStream.range(0, IMAGES).map(i -> i * 7 % 10).toArray();

  @Test
  void gradientsAreAsExactAsAutograd() {
    List<double[]> exact = autograd(ScalarType.Double);
    List<double[]> eager = autograd(ScalarType.Float);
    List<double[]> ours = ours();
    assertThat(ours).hasSameSizeAs(exact);
    SoftAssertions soft = new SoftAssertions();
    for (int i = 0; i < exact.size(); i++) {
      double allowed = Math.max(ALLOWED * error(eager.get(i), exact.get(i)), ROUNDING);
      soft.assertThat(error(ours.get(i), exact.get(i)))
          .as("error of gradient %d against float64, as a share of its norm", i)
          .isLessThanOrEqualTo(allowed);
    }
    soft.assertAll();
  }

  private List<double[]> autograd(ScalarType type) {
    try (PointerScope scope = new PointerScope();
        EagerClassifier network =
            EagerClassifiers.create("resnet50", weights, EagerOptions.deterministic(type));
        EagerTrainer trainer = new EagerTrainer(network, 0, 0)) {
      Tensor inputs =
          Tensor.create(images, IMAGES, 3, Workloads.IMAGE_SIZE, Workloads.IMAGE_SIZE).to(type);
      trainer.gradients(inputs, Tensor.create(longs(labels), IMAGES));
      return network.trainable().stream().map(Tensor::grad).map(GradientsTest::values).toList();
    }
  }

  private static double[] values(Tensor tensor) {
    Tensor dense = tensor.to(ScalarType.Double).contiguous();
    double[] values = new double[Math.toIntExact(dense.numel())];
    new DoublePointer(dense.data_ptr()).get(values);
    return values;
  }

  private List<double[]> ours() {
    List<double[]> gradients = new ArrayList<>();
    try (NativeTrainer trainer = NativeTrainer.create(classifier, Workloads.trainer(IMAGES))) {
      trainer.gradients(images, labels);
      for (int i = 0; i < classifier.tensors().size(); i++) {
        if (classifier.tensors().get(i).trainable()) {
          gradients.add(doubles(trainer.read(i, NativeTrainer.State.GRADIENT)));
        }
      }
    }
    return gradients;
  }

  private static double error(double[] actual, double[] exact) {
    assertThat(actual).hasSameSizeAs(exact);
    double squares = 0;
    double norm = 0;
    for (int i = 0; i < exact.length; i++) {
      squares += (actual[i] - exact[i]) * (actual[i] - exact[i]);
      norm += exact[i] * exact[i];
    }
    return Math.sqrt(squares / norm);
  }

  private static double[] doubles(float[] values) {
    return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
  }

  private static long[] longs(int[] values) {
    return IntStream.of(values).asLongStream().toArray();
  }
}
