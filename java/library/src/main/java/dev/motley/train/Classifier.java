// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import dev.motley.BatchNormMode;
import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.Progress;
import dev.motley.ProgressListener;
import dev.motley.dataset.ImageSet;
import dev.motley.ffi.ClassifierConfig;
import dev.motley.ffi.DType;
import dev.motley.ffi.NativeClassifier;
import dev.motley.ffi.NativeImages;
import dev.motley.ffi.NetworkGraph;
import dev.motley.ffi.TensorInfo;
import dev.motley.weights.NativeTensors;
import dev.motley.weights.SafeTensors;
import dev.motley.weights.SafeTensorsWriter;
import dev.motley.weights.SafeTensorsWriter.Source;
import dev.motley.weights.TensorView;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongPredicate;

/** A network that labels images. Holds native memory: close it. Not for several threads. */
public final class Classifier implements AutoCloseable {
  private final NativeClassifier network;
  private final ClassifierSpec spec;

  private Classifier(NativeClassifier network, ClassifierSpec spec) {
    this.network = network;
    this.spec = spec;
  }

  /**
   * A network with fresh weights, drawn from the recipe's seed as torchvision draws them.
   *
   * @param recipe names the architecture, the image size, the precision and the seed
   * @param classNames what the logits stand for
   */
  public static Classifier create(Recipe recipe, List<String> classNames) {
    return create(ClassifierSpec.of(recipe, classNames), recipe.precision(), recipe.seed());
  }

  /**
   * A network with fresh weights.
   *
   * @param spec names the architecture, the image size and the classes
   * @param precision what the network computes in
   * @param seed of the weights
   */
  public static Classifier create(ClassifierSpec spec, Precision precision, long seed) {
    return new Classifier(NativeClassifier.create(config(spec, precision, seed)), spec);
  }

  /**
   * Checks that the recipe's network can be, and tells the fewest images that it trains on at once.
   *
   * @throws InvalidInputException if it cannot, for example because the images are too small for it
   */
  static int leastBatch(Recipe recipe, int classes) {
    return NativeClassifier.leastBatch(
        new ClassifierConfig(
            recipe.architecture(),
            classes,
            recipe.inputSize(),
            recipe.precision(),
            recipe.stem(),
            recipe.rates(),
            recipe.seed()));
  }

  /**
   * Reads what {@link #save} wrote.
   *
   * @param path a safetensors file with torchvision's names and Motley's metadata, or the folder of a finished training
   * @param precision what the network computes in
   * @throws InvalidInputException if the file is missing, damaged, no classifier, or holds NaN or infinity, in one line
   */
  public static Classifier load(Path path, Precision precision) {
    Path file = file(path);
    try (SafeTensors tensors = SafeTensors.open(file)) {
      ClassifierSpec spec = ClassifierSpec.fromMetadata(file, tensors.metadata());
      requireFinite(file, tensors.tensors().values());
      return of(file.toString(), tensors.tensors().values(), spec, precision);
    }
  }

  /** The file of a model that is named by itself or by the folder of its training. */
  static Path file(Path model) {
    Path file = Files.isDirectory(model) ? model.resolve(Training.MODEL) : model;
    Training.requireEnded(file);
    return file;
  }

  static void requireFinite(Path file, Collection<TensorView> tensors) {
    for (TensorView tensor : tensors) {
      if (!tensor.isFinite()) {
        throw new InvalidInputException(
            "%s: tensor \"%s\" holds NaN or infinity: the training diverged, or the file is damaged"
                .formatted(file, tensor.name()));
      }
    }
  }

  static Classifier of(
      String what, Collection<TensorView> tensors, ClassifierSpec spec, Precision precision) {
    ClassifierConfig config = config(spec, precision, 0);
    return new Classifier(
        NativeTensors.make(what, tensors, weights -> NativeClassifier.create(config, weights)), spec);
  }

  /**
   * Writes all tensors by torchvision's names, with what a reader needs to use them as metadata.
   *
   * @param file replaced as a whole, or not at all
   */
  public void save(Path file) {
    save(file, Map.of(), tensors());
  }

  void save(Path file, Map<String, String> metadata, List<Source> tensors) {
    var all = new TreeMap<>(spec.toMetadata());
    all.putAll(metadata);
    SafeTensorsWriter.write(file, tensors.stream(), all);
  }

  /** What the network is for. */
  public ClassifierSpec spec() {
    return spec;
  }

  /**
   * Computes the logits of all images.
   *
   * @param images of the classifier's picture size
   * @param batch images per forward pass; with batch statistics a part of the result
   * @param mode whose statistics BatchNorm normalises with
   * @param listener hears how many images are done, now and then; may stop
   * @return (images, classes), row by row
   * @throws dev.motley.CancelledException if the listener stopped it
   */
  public float[] logits(ImageSet images, int batch, BatchNormMode mode, ProgressListener listener) {
    requireImages(images);
    String statistics = mode == BatchNormMode.RUNNING ? "running statistics" : "batch statistics";
    LongPredicate hear = done -> listener.onProgress(new Progress("test", done, images.count(), 0, "images", statistics));
    if (!hear.test(0)) {
      throw new CancelledException("evaluation was cancelled");
    }
    try (NativeImages packed = pack(images)) {
      return network.evaluate(
          packed, 0, images.count(), batch, mode, spec.resize(), spec.normalisation(), (done, _, _, _) -> hear.test(done));
    }
  }

  /** What the network computes, op by op, for exporters. */
  public NetworkGraph graph() {
    return network.graph();
  }

  /** The shape of a tensor, as torchvision has it. */
  public List<Long> shape(String tensor) {
    return network.tensors().get(index(tensor)).shape();
  }

  /** The elements of a tensor, as torchvision has them. */
  public float[] values(String tensor) {
    return network.read(index(tensor));
  }

  private int index(String tensor) {
    List<TensorInfo> tensors = network.tensors();
    for (int i = 0; i < tensors.size(); i++) {
      if (tensors.get(i).name().equals(tensor)) {
        return i;
      }
    }
    throw new InvalidInputException("%s has no tensor \"%s\"".formatted(spec.architecture(), tensor));
  }

  /** The spec as texts: what its safetensors file says beside the tensors. */
  public Map<String, String> metadata() {
    return spec.toMetadata();
  }

  void requireImages(ImageSet images) {
    int size = spec.pictureSize();
    if (images.height() != size || images.width() != size) {
      throw new InvalidInputException(
          "%s has images of %dx%d pixels, the classifier takes %dx%d"
              .formatted(images.name(), images.width(), images.height(), size, size));
    }
  }

  static NativeImages pack(ImageSet images) {
    return NativeImages.create(images.height(), images.width(), images.pixels(), images.labels());
  }

  NativeClassifier network() {
    return network;
  }

  /** Every parameter and buffer, by torchvision's names; read from the network as each is written. */
  List<Source> tensors() {
    List<TensorInfo> infos = network.tensors();
    var out = new ArrayList<Source>();
    for (int i = 0; i < infos.size(); i++) {
      int index = i;
      TensorInfo info = infos.get(i);
      out.add(
          info.type() == DType.I64
              ? Source.ofLongs(info.name(), shape(info), () -> toLongs(network.read(index)))
              : Source.ofFloats(info.name(), shape(info), () -> network.read(index)));
    }
    return out;
  }

  static long[] shape(TensorInfo info) {
    return info.shape().stream().mapToLong(Long::longValue).toArray();
  }

  private static long[] toLongs(float[] values) {
    long[] longs = new long[values.length];
    for (int i = 0; i < values.length; i++) {
      longs[i] = (long) values[i];
    }
    return longs;
  }

  private static ClassifierConfig config(ClassifierSpec spec, Precision precision, long seed) {
    return new ClassifierConfig(
        spec.architecture(),
        spec.classNames().size(),
        spec.imageSize(),
        precision,
        spec.stem(),
        spec.rates(),
        seed);
  }

  @Override
  public void close() {
    network.close();
  }
}
