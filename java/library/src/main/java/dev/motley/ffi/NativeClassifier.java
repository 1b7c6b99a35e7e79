// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static java.lang.foreign.MemoryLayout.PathElement.groupElement;

import dev.motley.BatchNormMode;
import dev.motley.InvalidInputException;
import dev.motley.Normalisation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/** An image classifier, for example torchvision's ResNet50. */
public final class NativeClassifier extends NativeHandle {

  private static final MethodHandle CHECK = Native.bind("motley_classifier_check");
  private static final MethodHandle CREATE = Native.bind("motley_classifier_create");
  private static final MethodHandle DESTROY = Native.bind("motley_classifier_destroy");
  private static final MethodHandle TENSORS = Native.bind("motley_classifier_tensors");
  private static final MethodHandle TENSOR = Native.bind("motley_classifier_tensor");
  private static final MethodHandle GRAPH = Native.bind("motley_classifier_graph");
  private static final MethodHandle READ = Native.bind("motley_classifier_read");
  private static final MethodHandle FORWARD = Native.bind("motley_classifier_forward");
  private static final MethodHandle EVALUATE = Native.bind("motley_classifier_evaluate");

  private static final int GRAPH_BYTES = 1 << 22;
  private static final DType[] TYPES = DType.values();

  private final ClassifierConfig config;
  private final List<TensorInfo> tensors;

  private NativeClassifier(MemorySegment pointer, ClassifierConfig config) {
    super(pointer, DESTROY);
    this.config = config;
    this.tensors = readTensors(pointer);
  }

  /**
   * Makes a classifier with weights drawn from its seed, as torchvision initialises them.
   *
   * @param config its shape
   * @return the classifier
   */
  public static NativeClassifier create(ClassifierConfig config) {
    return create(config, MemorySegment.NULL);
  }

  /**
   * Makes a classifier with given weights.
   *
   * @param config its shape
   * @param weights all of its tensors and no others, by torchvision's names
   * @return the classifier, independent of {@code weights} from now on
   * @throws InvalidInputException naming each missing, extra or mis-shaped tensor
   */
  public static NativeClassifier create(ClassifierConfig config, NativeWeights weights) {
    try (Use given = weights.useData()) {
      return create(config, given.pointer());
    }
  }

  private static NativeClassifier create(ClassifierConfig config, MemorySegment weights) {
    checkSizes(config);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment c = config.toC(arena);
      return new NativeClassifier(
          create((out, error) -> (int) CREATE.invokeExact(c, weights, out, error)), config);
    }
  }

  /**
   * Checks a shape as {@link #create} does, without drawing or loading weights.
   *
   * @param config the shape
   * @return the fewest images of a training batch: 2 where BatchNorm would find but one value of a channel in a single image, else 1
   * @throws InvalidInputException if the architecture is unknown or cannot have that shape
   */
  public static int leastBatch(ClassifierConfig config) {
    checkSizes(config);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment c = config.toC(arena);
      MemorySegment least = arena.allocate(ValueLayout.JAVA_LONG);
      Native.check(error -> (int) CHECK.invokeExact(c, least, error));
      return (int) least.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  private static void checkSizes(ClassifierConfig config) {
    Sizes.range("classes", config.classes(), 1, Integer.MAX_VALUE);
    Sizes.range("image size", config.imageSize(), 1, Integer.MAX_VALUE);
  }

  /**
   * Returns the tensors: parameters in torchvision's order, then buffers. Their positions in this
   * list are the indices of the other methods.
   *
   * @return all tensors
   */
  public List<TensorInfo> tensors() {
    return tensors;
  }

  /**
   * Copies a tensor out.
   *
   * @param index its position in {@link #tensors}
   * @return its elements in torchvision's layout, an integer tensor's too
   */
  public float[] read(int index) {
    int length = tensor(index).elements();
    try (Use self = use();
        Arena arena = Arena.ofConfined()) {
      MemorySegment values = arena.allocate(ValueLayout.JAVA_FLOAT, length);
      Native.check(
          error ->
              (int) READ.invokeExact(self.pointer(), (long) index, values, (long) length, error));
      return values.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  /**
   * Tells what the network computes with running statistics.
   *
   * @return its ops
   */
  public NetworkGraph graph() {
    try (Use self = use()) {
      return NetworkGraph.of(
          Native.json(
              GRAPH_BYTES, (buffer, capacity, error) -> (int) GRAPH.invokeExact(self.pointer(), buffer, capacity, error)));
    }
  }

  /**
   * Classifies given network inputs.
   *
   * @param inputs (n, 3, imageSize, imageSize), normalised
   * @param mode whose BatchNorm statistics to use
   * @return logits (n, classes)
   */
  public float[] forward(float[] inputs, BatchNormMode mode) {
    int size = config.imageSize();
    int n = Sizes.count("inputs", inputs.length, 3, size, size);
    int length = Sizes.length("logits", n, config.classes());
    int batchNorm = mode.ordinal();
    try (Use self = use();
        Arena arena = Arena.ofConfined()) {
      MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_FLOAT, inputs);
      MemorySegment logits = arena.allocate(ValueLayout.JAVA_FLOAT, length);
      Native.check(
          error ->
              (int) FORWARD.invokeExact(self.pointer(), (long) n, in, batchNorm, logits, error));
      return logits.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  /**
   * Classifies images in batches.
   *
   * @param images of size imageSize x imageSize, or of any where resize is not 0
   * @param first the first image to classify
   * @param n how many
   * @param batch images at a time
   * @param mode whose BatchNorm statistics to use
   * @param resize length of the shorter side before the centre is cropped; 0 takes images as they are
   * @param normalisation from pixels to inputs
   * @param progress hears how many images are done, now and then; in the end n of n
   * @return logits (n, classes)
   * @throws dev.motley.CancelledException if the progress cancelled
   */
  public float[] evaluate(
      NativeImages images,
      int first,
      int n,
      int batch,
      BatchNormMode mode,
      int resize,
      Normalisation normalisation,
      Progress progress) {
    Sizes.range("first image", first, 0, images.count() - 1L);
    Sizes.range("number of images", n, 1, images.count() - (long) first);
    Sizes.range("batch", batch, 1, Integer.MAX_VALUE);
    int length = Sizes.length("logits", n, config.classes());
    int batchNorm = mode.ordinal();
    try (Use self = use();
        Use pictures = images.use();
        Arena arena = Arena.ofConfined()) {
      var callback = new ProgressCallback(arena, progress);
      MemorySegment c = Struct.of(arena, normalisation).segment();
      MemorySegment logits = arena.allocate(ValueLayout.JAVA_FLOAT, length);
      callback.run(
          error ->
              (int)
                  EVALUATE.invokeExact(
                      self.pointer(),
                      pictures.pointer(),
                      (long) first,
                      (long) n,
                      (long) batch,
                      batchNorm,
                      resize,
                      c,
                      logits,
                      callback.function(),
                      MemorySegment.NULL,
                      error));
      return logits.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  /**
   * Returns the shape of the classifier.
   *
   * @return the configuration it was made from
   */
  public ClassifierConfig config() {
    return config;
  }

  TensorInfo tensor(int index) {
    Sizes.range("tensor index", index, 0, tensors.size() - 1L);
    return tensors.get(index);
  }

  private static List<TensorInfo> readTensors(MemorySegment classifier) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(ValueLayout.JAVA_LONG);
      Native.check(error -> (int) TENSORS.invokeExact(classifier, count, error));
      MemorySegment info = arena.allocate(Header.TENSOR_INFO);
      var tensors = new ArrayList<TensorInfo>();
      for (long i = 0; i < count.get(ValueLayout.JAVA_LONG, 0); i++) {
        long index = i;
        Native.check(error -> (int) TENSOR.invokeExact(classifier, index, info, error));
        tensors.add(toTensorInfo(info));
      }
      return List.copyOf(tensors);
    }
  }

  @SuppressWarnings("restricted") // a C string of unknown length
  private static TensorInfo toTensorInfo(MemorySegment info) {
    String name =
        info.get(ValueLayout.ADDRESS, Header.TENSOR_INFO.byteOffset(groupElement("name")))
            .reinterpret(Long.MAX_VALUE)
            .getString(0);
    long shapeAt = Header.TENSOR_INFO.byteOffset(groupElement("shape"));
    var shape = new ArrayList<Long>();
    for (int i = 0; i < field(info, "dims"); i++) {
      shape.add(info.get(ValueLayout.JAVA_LONG, shapeAt + 8L * i));
    }
    return new TensorInfo(name, TYPES[field(info, "dtype")], field(info, "trainable") != 0, field(info, "head") != 0, shape);
  }

  private static int field(MemorySegment info, String name) {
    return info.get(ValueLayout.JAVA_INT, Header.TENSOR_INFO.byteOffset(groupElement(name)));
  }
}
