// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.DropRates;
import dev.motley.Precision;
import dev.motley.Stem;
import dev.motley.benchmarks.eager.EagerClassifier;
import dev.motley.benchmarks.eager.EagerClassifiers;
import dev.motley.benchmarks.eager.EagerOptions;
import dev.motley.benchmarks.eager.EagerTrainer;
import dev.motley.ffi.ClassifierConfig;
import dev.motley.ffi.DType;
import dev.motley.ffi.NativeClassifier;
import dev.motley.ffi.NativeTrainer;
import dev.motley.ffi.NativeWeights;
import dev.motley.ffi.TensorInfo;
import dev.motley.weights.TensorView;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.assertj.core.api.SoftAssertions;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every gradient of the trainer against libtorch's autograd in float64. */
class GradientsTest {

  /** Of libtorch's own error in float32: the project's tolerance. */
  private static final double ALLOWED = 2;

  /** Below this share of a gradient's norm, both are rounding. */
  private static final double ROUNDING = 1e-7;

  /**
   * The same of all gradients' norm: before a BatchNorm, some gradients are 0 in exact arithmetic.
   */
  private static final double ZERO = 1e-9;

  /** Added to a BatchNorm's results it decides every sign: 8 images have none beyond 3. */
  private static final float DECIDING = 8;

  private final Random random = new Random(4);
  private PointerScope scope;

  @BeforeEach
  void open() {
    scope = new PointerScope();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  /** Float64 autograd's gradients, and errors against them. */
  private record Errors(List<Double> norms, List<Double> eager, List<Double> ours) {

    static double total(List<Double> values) {
      return Math.sqrt(values.stream().mapToDouble(v -> v * v).sum());
    }
  }

  /**
   * A ResNet's signs before its ReLUs are all decided: one that flips by rounding shifts the
   * gradients of every layer by far more than the rounding.
   */
  @ParameterizedTest
  @CsvSource({
    "resnet50, 8",
    "resnet101, 8",
    "mobilenet_v3_small, 32",
    "convnext_small, 2",
    "vit_b, 2",
    "vit_b_p4, 2"
  })
  void everyGradientIsAsExactAsAutograd(String architecture, int images) {
    Map<String, TensorView> weights = weights(architecture);
    weights.replaceAll((_, tensor) -> perturbed(tensor));
    if (architecture.startsWith("resnet")) weights.replaceAll((_, tensor) -> decided(tensor));
    Errors errors = errors(architecture, weights, images);
    double zero = ZERO * Errors.total(errors.norms());
    List<String> names = List.copyOf(weights.keySet()); // parameters first
    SoftAssertions soft = new SoftAssertions();
    for (int i = 0; i < errors.norms().size(); i++) {
      double rounding = Math.max(zero, ROUNDING * errors.norms().get(i));
      soft.assertThat(errors.ours().get(i))
          .as("error of the gradient of %s against float64", names.get(i))
          .isLessThanOrEqualTo(ALLOWED * Math.max(errors.eager().get(i), rounding));
    }
    soft.assertAll();
  }

  /** With the signs that an untrained network has: which flip, differs from one order of sums to another. */
  @Test
  void signsFlipNoMoreThanInAutograd() {
    Errors errors = errors("resnet50", weights("resnet50"), 32);
    assertThat(Errors.total(errors.ours()))
        .as("error of all gradients against float64")
        .isPositive()
        .isLessThanOrEqualTo(ALLOWED * Errors.total(errors.eager()));
  }

  private static Map<String, TensorView> weights(String architecture) {
    try (NativeClassifier classifier = Workloads.classifier(architecture, 2)) {
      return Workloads.weights(classifier);
    }
  }

  /** Scales, offsets and biases as training may leave them. */
  private TensorView perturbed(TensorView tensor) {
    String name = tensor.name();
    if (tensor.dtype() == dev.motley.weights.DType.I64) return tensor;
    boolean scale = name.endsWith("layer_scale");
    boolean vector = tensor.shape().length == 1 && !name.contains(".running_");
    float most = scale ? 1 : 0.2f;
    float[] values = tensor.toFloats();
    for (int i = 0; i < values.length; i++) {
      if (scale || vector) values[i] += random.nextFloat(-most, most);
    }
    return TensorView.ofFloats(name, tensor.shape(), values);
  }

  /** Offsets that leave three quarters of the channels positive for every image, and the others negative. */
  private static TensorView decided(TensorView tensor) {
    String name = tensor.name();
    if (!name.matches(".*(bn\\d|downsample\\.1)\\.bias")) return tensor;
    float[] values = tensor.toFloats();
    for (int i = 0; i < values.length; i++) values[i] += i % 4 == 0 ? -DECIDING : DECIDING;
    return TensorView.ofFloats(name, tensor.shape(), values);
  }

  private Errors errors(String architecture, Map<String, TensorView> weights, int n) {
    float[] images = Workloads.normals(5, n * 3 * Workloads.IMAGE_SIZE * Workloads.IMAGE_SIZE);
    int[] labels = IntStream.range(0, n).map(i -> i * 7 % Workloads.CLASSES).toArray();
    List<Tensor> exact = autograd(architecture, weights, images, labels, ScalarType.Double);
    List<Tensor> eager = autograd(architecture, weights, images, labels, ScalarType.Float);
    List<Tensor> ours = ours(architecture, weights, images, labels);
    return new Errors(
        exact.stream().map(gradient -> gradient.norm().item_double()).toList(),
        distances(eager, exact),
        distances(ours, exact));
  }

  private static List<Double> distances(List<Tensor> actual, List<Tensor> exact) {
    assertThat(actual).hasSameSizeAs(exact);
    return IntStream.range(0, exact.size())
        .mapToObj(i -> actual.get(i).sub(exact.get(i)).norm().item_double())
        .toList();
  }

  /** In the scope that is open. */
  private List<Tensor> autograd(
      String architecture,
      Map<String, TensorView> weights,
      float[] images,
      int[] labels,
      ScalarType type) {
    long[] longs = IntStream.of(labels).asLongStream().toArray();
    try (EagerClassifier network =
            EagerClassifiers.create(architecture, weights, EagerOptions.deterministic(type));
        EagerTrainer trainer = new EagerTrainer(network, 0, 0)) {
      Tensor inputs =
          Tensor.create(images, labels.length, 3, Workloads.IMAGE_SIZE, Workloads.IMAGE_SIZE);
      trainer.gradients(inputs.to(type), Tensor.create(longs, labels.length));
      return network.trainable().stream().map(p -> p.grad().to(ScalarType.Double)).toList();
    }
  }

  /** In the scope that is open. */
  private static List<Tensor> ours(
      String architecture, Map<String, TensorView> weights, float[] images, int[] labels) {
    List<Tensor> gradients = new ArrayList<>();
    try (NativeClassifier classifier = classifier(architecture, weights);
        NativeTrainer trainer =
            NativeTrainer.create(classifier, Workloads.trainer(labels.length))) {
      trainer.gradients(images, labels);
      for (int i = 0; i < classifier.tensors().size(); i++) {
        TensorInfo tensor = classifier.tensors().get(i);
        if (tensor.trainable()) {
          long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
          float[] gradient = trainer.read(i, NativeTrainer.State.GRADIENT);
          gradients.add(Tensor.create(gradient, shape).to(ScalarType.Double));
        }
      }
    }
    return gradients;
  }

  /** With given weights, and nothing left out at random. */
  private static NativeClassifier classifier(String architecture, Map<String, TensorView> weights) {
    DropRates rates =
        switch (architecture) {
          case "mobilenet_v3_small" -> new DropRates(0, DropRates.PUBLISHED);
          case "convnext_small" -> new DropRates(DropRates.PUBLISHED, 0);
          default -> DropRates.AS_PUBLISHED; // nothing
        };
    ClassifierConfig config =
        new ClassifierConfig(
            architecture,
            Workloads.CLASSES,
            Workloads.IMAGE_SIZE,
            Precision.FP32,
            Stem.IMAGENET,
            rates,
            1);
    try (NativeWeights given = NativeWeights.create()) {
      for (TensorView tensor : weights.values()) {
        boolean counter = tensor.name().endsWith("num_batches_tracked");
        DType type = counter ? DType.I64 : DType.F32;
        given.add(tensor.name(), type, tensor.shape(), tensor.data());
      }
      return NativeClassifier.create(config, given);
    }
  }
}
