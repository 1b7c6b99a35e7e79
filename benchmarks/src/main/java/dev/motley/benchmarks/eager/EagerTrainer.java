// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** The training loop's body: forward, cross-entropy, backward, libtorch's AdamW. */
public final class EagerTrainer implements AutoCloseable {

  private final EagerClassifier network;
  private final AdamW optimizer;

  /**
   * Makes the optimizer.
   *
   * @param network must outlive the trainer
   * @param learningRate of AdamW; betas 0.9 and 0.999, epsilon 1e-8
   * @param weightDecay of all parameters
   */
  public EagerTrainer(EagerClassifier network, double learningRate, double weightDecay) {
    this.network = network;
    try (PointerScope scope = new PointerScope()) {
      AdamWOptions options = new AdamWOptions(learningRate);
      options.weight_decay().put(weightDecay);
      TensorVector parameters = new TensorVector(network.trainable().toArray(Tensor[]::new));
      optimizer = new AdamW(parameters, options);
      optimizer.retainReference();
    }
  }

  /**
   * One optimizer step.
   *
   * @param images (n, 3, size, size), normalised
   * @param size height and width
   * @param labels (n)
   * @return mean loss
   */
  public double step(float[] images, int size, long[] labels) {
    try (PointerScope scope = new PointerScope()) {
      return step(
          Tensor.create(images, labels.length, 3, size, size),
          Tensor.create(labels, labels.length));
    }
  }

  /**
   * One optimizer step.
   *
   * @param images (n, 3, h, w), normalised
   * @param labels (n) int64
   * @return mean loss
   */
  public double step(Tensor images, Tensor labels) {
    double loss = gradients(images, labels);
    update();
    return loss;
  }

  /**
   * Forward and backward.
   *
   * @param images (n, 3, h, w), normalised
   * @param labels (n) int64
   * @return mean loss; the gradients replace the former ones
   */
  public double gradients(Tensor images, Tensor labels) {
    try (PointerScope scope = new PointerScope()) {
      optimizer.zero_grad();
      Tensor loss = torch.cross_entropy(network.forward(images, true), labels);
      loss.backward();
      return loss.item_float();
    }
  }

  /** Applies the gradients. */
  public void update() {
    try (PointerScope scope = new PointerScope()) {
      optimizer.step();
    }
  }

  @Override
  public void close() {
    optimizer.releaseReference();
  }
}
