// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.InvalidInputException;
import dev.motley.NotFiniteException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Trains one {@link NativeClassifier}. Closed with it at the latest. */
public final class NativeTrainer extends NativeHandle {

  private static final MethodHandle CREATE = Native.bind("motley_trainer_create");
  private static final MethodHandle DESTROY = Native.bind("motley_trainer_destroy");
  private static final MethodHandle RUN = Native.bind("motley_trainer_run");
  private static final MethodHandle STEP = Native.bind("motley_trainer_step");
  private static final MethodHandle PREVIEW = Native.bind("motley_trainer_preview");
  private static final MethodHandle READ = Native.bind("motley_trainer_read");
  private static final MethodHandle WRITE = Native.bind("motley_trainer_write");
  private static final MethodHandle STEPS = Native.bind("motley_trainer_steps");
  private static final MethodHandle SET_STEPS = Native.bind("motley_trainer_set_steps");

  private final NativeClassifier classifier;
  private final boolean headOnly;

  private NativeTrainer(MemorySegment pointer, NativeClassifier classifier, boolean headOnly) {
    super(pointer, DESTROY);
    this.classifier = classifier;
    this.headOnly = headOnly;
  }

  /** Whether a tensor is trained: a parameter, of the head if that alone is. */
  public boolean trains(TensorInfo tensor) {
    return headOnly ? tensor.head() : tensor.trainable();
  }

  /** What is kept beside each parameter. */
  public enum State {
    /** Gradient of the last step, before it is clipped; read only. */
    GRADIENT,
    /** AdamW's first moment. */
    EXP_AVG,
    /** AdamW's second moment. */
    EXP_AVG_SQ,
    /** Moving average of the weights; only with a decay, and only after a step. */
    AVERAGE
  }

  /**
   * What {@link #run} did.
   *
   * @param done steps made
   * @param lossSum sum of the loss over the images seen
   * @param correct images of those classified rightly; of mixed ones by the label of the larger share
   * @param cancelled whether the progress ended the run early, after the steps counted
   */
  public record Outcome(long done, double lossSum, long correct, boolean cancelled) {}

  /**
   * What one {@link #step} gave.
   *
   * @param loss mean over the batch
   * @param logits (n, classes), of the training forward pass
   */
  public record Step(double loss, float[] logits) {}

  /**
   * A batch as the network sees it.
   *
   * @param inputs (n, 3, imageSize, imageSize), augmented and normalised
   * @param labels (n)
   */
  public record Batch(float[] inputs, int[] labels) {}

  /**
   * Makes a trainer.
   *
   * @param classifier whose weights it changes
   * @param config how
   * @return the trainer
   */
  public static NativeTrainer create(NativeClassifier classifier, TrainerConfig config) {
    Sizes.range("batch", config.batch(), 1, Integer.MAX_VALUE);
    try (Use network = classifier.use();
        Arena arena = Arena.ofConfined()) {
      MemorySegment c = config.toC(arena);
      MemorySegment pointer =
          create((out, error) -> (int) CREATE.invokeExact(network.pointer(), c, out, error));
      return classifier.adopt(new NativeTrainer(pointer, classifier, config.headOnly()));
    }
  }

  /**
   * Makes optimizer steps [first, first + count) of an epoch, whose order of images is a
   * permutation drawn from (seed, epoch).
   *
   * @param images to learn from
   * @param epoch number of the epoch, from 0
   * @param first first step of the epoch to make
   * @param count steps to make; cut at the epoch's end
   * @param learningRate of these steps
   * @param progress hears every step, with mean loss and accuracy as its values
   * @return steps made, loss and accuracy
   * @throws NotFiniteException if the loss is not finite
   */
  public Outcome run(
      NativeImages images,
      long epoch,
      long first,
      long count,
      double learningRate,
      Progress progress) {
    try (Use _ = classifier.use();
        Use self = use();
        Use pictures = images.use();
        Arena arena = Arena.ofConfined()) {
      var callback = new ProgressCallback(arena, progress);
      MemorySegment done = arena.allocate(ValueLayout.JAVA_LONG);
      MemorySegment lossSum = arena.allocate(ValueLayout.JAVA_DOUBLE);
      MemorySegment correct = arena.allocate(ValueLayout.JAVA_LONG);
      boolean cancelled =
          callback
              .cancelled(
                  error ->
                      (int)
                          RUN.invokeExact(
                              self.pointer(),
                              pictures.pointer(),
                              epoch,
                              first,
                              count,
                              learningRate,
                              done,
                              lossSum,
                              correct,
                              callback.function(),
                              MemorySegment.NULL,
                              error))
              .isPresent();
      return new Outcome(
          done.get(ValueLayout.JAVA_LONG, 0),
          lossSum.get(ValueLayout.JAVA_DOUBLE, 0),
          correct.get(ValueLayout.JAVA_LONG, 0),
          cancelled);
    }
  }

  /**
   * Makes one step on given network inputs, without augmentation.
   *
   * @param inputs (n, 3, imageSize, imageSize), normalised
   * @param labels (n)
   * @param learningRate of the step
   * @return loss and logits before the update
   */
  public Step step(float[] inputs, int[] labels, double learningRate) {
    int size = classifier.config().imageSize();
    int n = labels.length;
    Sizes.check("inputs", inputs.length, n, 3, size, size);
    int length = Sizes.length("logits", n, classifier.config().classes());
    try (Use _ = classifier.use();
        Use self = use();
        Arena arena = Arena.ofConfined()) {
      MemorySegment cInputs = arena.allocateFrom(ValueLayout.JAVA_FLOAT, inputs);
      MemorySegment cLabels = arena.allocateFrom(ValueLayout.JAVA_INT, labels);
      MemorySegment loss = arena.allocate(ValueLayout.JAVA_DOUBLE);
      MemorySegment logits = arena.allocate(ValueLayout.JAVA_FLOAT, length);
      Native.check(
          error ->
              (int)
                  STEP.invokeExact(
                      self.pointer(),
                      (long) n,
                      cInputs,
                      cLabels,
                      learningRate,
                      loss,
                      logits,
                      error));
      return new Step(loss.get(ValueLayout.JAVA_DOUBLE, 0), logits.toArray(ValueLayout.JAVA_FLOAT));
    }
  }

  /**
   * Computes the gradients of a batch without an update; {@link #read} gives them.
   *
   * @param inputs (n, 3, imageSize, imageSize), normalised
   * @param labels (n)
   * @return loss and logits
   */
  public Step gradients(float[] inputs, int[] labels) {
    return step(inputs, labels, Double.NaN);
  }

  /**
   * Makes a batch as training would see it.
   *
   * @param images to take it from
   * @param epoch number of the epoch
   * @param first entry of the epoch's order
   * @param n how many entries
   * @return the batch
   */
  public Batch preview(NativeImages images, long epoch, long first, int n) {
    int size = classifier.config().imageSize();
    Sizes.range("first entry", first, 0, images.count() - 1L);
    Sizes.range("number of entries", n, 1, images.count() - first);
    int length = Sizes.length("inputs", n, 3, size, size);
    try (Use _ = classifier.use();
        Use self = use();
        Use pictures = images.use();
        Arena arena = Arena.ofConfined()) {
      MemorySegment inputs = arena.allocate(ValueLayout.JAVA_FLOAT, length);
      MemorySegment labels = arena.allocate(ValueLayout.JAVA_INT, n);
      Native.check(
          error ->
              (int)
                  PREVIEW.invokeExact(
                      self.pointer(),
                      pictures.pointer(),
                      epoch,
                      first,
                      (long) n,
                      inputs,
                      labels,
                      error));
      return new Batch(
          inputs.toArray(ValueLayout.JAVA_FLOAT), labels.toArray(ValueLayout.JAVA_INT));
    }
  }

  /**
   * Copies the state of a parameter out.
   *
   * @param index the parameter's position in {@link NativeClassifier#tensors}
   * @param state which one
   * @return its elements in torchvision's layout
   */
  public float[] read(int index, State state) {
    int length = parameter(index).elements();
    int code = state.ordinal();
    try (Use _ = classifier.use();
        Use self = use();
        Arena arena = Arena.ofConfined()) {
      MemorySegment values = arena.allocate(ValueLayout.JAVA_FLOAT, length);
      Native.check(
          error ->
              (int)
                  READ.invokeExact(
                      self.pointer(), (long) index, code, values, (long) length, error));
      return values.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  /**
   * Restores the optimizer state of a parameter.
   *
   * @param index the parameter's position in {@link NativeClassifier#tensors}
   * @param state any but GRADIENT
   * @param values its elements in torchvision's layout
   */
  public void write(int index, State state, float[] values) {
    TensorInfo info = parameter(index);
    Sizes.check(info.name() + " " + state, values.length, info.elements());
    int code = state.ordinal();
    try (Use _ = classifier.use();
        Use self = use();
        Arena arena = Arena.ofConfined()) {
      MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
      Native.check(
          error ->
              (int)
                  WRITE.invokeExact(
                      self.pointer(), (long) index, code, in, (long) values.length, error));
    }
  }

  /**
   * Returns the optimizer steps made, which the bias correction counts.
   *
   * @return the number of steps
   */
  public long steps() {
    try (Use self = use();
        Arena arena = Arena.ofConfined()) {
      MemorySegment steps = arena.allocate(ValueLayout.JAVA_LONG);
      Native.check(error -> (int) STEPS.invokeExact(self.pointer(), steps, error));
      return steps.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  /**
   * Restores the number of optimizer steps.
   *
   * @param steps at least 0
   */
  public void setSteps(long steps) {
    Sizes.range("steps", steps, 0, Long.MAX_VALUE);
    try (Use self = use()) {
      Native.check(error -> (int) SET_STEPS.invokeExact(self.pointer(), steps, error));
    }
  }

  private TensorInfo parameter(int index) {
    TensorInfo info = classifier.tensor(index);
    if (!trains(info)) {
      throw new InvalidInputException(info.name() + " is not trained, it has no optimizer state");
    }
    return info;
  }
}
