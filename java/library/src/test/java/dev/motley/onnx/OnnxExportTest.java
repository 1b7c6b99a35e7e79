// SPDX-License-Identifier: Apache-2.0
package dev.motley.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.motley.BatchNormMode;
import dev.motley.Normalisation;
import dev.motley.Precision;
import dev.motley.dataset.ImageSet;
import dev.motley.train.Classifier;
import dev.motley.train.ClassifierImport;
import dev.motley.train.ClassifierSpec;
import dev.motley.train.Recipe;
import dev.motley.weights.DType;
import dev.motley.weights.SafeTensors;
import dev.motley.weights.SafeTensorsWriter;
import dev.motley.weights.TensorView;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every architecture, computed by ONNX Runtime. */
class OnnxExportTest {
  private static final int SIZE = 32;
  private static final int IMAGES = 3;
  private static final List<String> CLASSES = List.of("cat", "dog", "frog", "sea lake", "ß");

  /** Of the largest logit: float32 in another order. */
  private static final double ROUNDING = 2e-5;

  @TempDir private Path folder;

  static List<String> architectures() {
    return Recipe.ARCHITECTURES;
  }

  @ParameterizedTest
  @MethodSource("architectures")
  void onnxRuntimeGivesTheSameLogits(String architecture) throws OrtException {
    Path file = folder.resolve("model.onnx");
    Path weights = folder.resolve("weights.safetensors");
    var spec = new ClassifierSpec(architecture, SIZE, CLASSES, Normalisation.IMAGENET);
    random(spec, weights);
    var pixels = new byte[IMAGES * SIZE * SIZE * 3];
    new Random(1).nextBytes(pixels);
    float[] ours;
    try (Classifier classifier = ClassifierImport.read(weights, spec, Precision.FP32)) {
      OnnxExport.write(classifier, file);
      ours = classifier.logits(new ImageSet("random", SIZE, SIZE, pixels, new int[IMAGES], CLASSES), IMAGES, BatchNormMode.RUNNING, _ -> true);
    }
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession session = environment.createSession(file.toString());
        OnnxTensor input = OnnxTensor.createTensor(environment, FloatBuffer.wrap(inputs(pixels)), new long[] {IMAGES, 3, SIZE, SIZE});
        OrtSession.Result result = session.run(Map.of("input", input))) {
      float[][] theirs = (float[][]) result.get("logits").orElseThrow().getValue();
      double largest = 0;
      for (float logit : ours) {
        largest = Math.max(largest, Math.abs(logit));
      }
      assertThat(largest).isPositive();
      for (int i = 0; i < ours.length; i++) {
        assertThat((double) ours[i]).isCloseTo(theirs[i / CLASSES.size()][i % CLASSES.size()], within(ROUNDING * largest));
      }
      assertThat(session.getMetadata().getCustomMetadata().get("motley")).contains("\"" + architecture + "\"", "\"sea lake\"", "ß");
    }
  }

  /** Weights that let every layer be seen: fresh ones have layer scales of 1e-6, and offsets of 0. */
  private static void random(ClassifierSpec spec, Path file) {
    try (Classifier fresh = Classifier.create(spec, Precision.FP32, 1)) {
      fresh.save(file);
    }
    var random = new Random(2);
    try (SafeTensors tensors = SafeTensors.open(file)) {
      List<TensorView> drawn =
          tensors.tensors().values().stream().map(t -> t.dtype() == DType.I64 ? t : random(t.name(), t.shape(), random)).toList();
      SafeTensorsWriter.write(file, drawn, Map.of());
    }
  }

  private static TensorView random(String name, long[] shape, Random random) {
    long count = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    double deviation = shape.length > 1 ? Math.sqrt((double) shape[0] / count) : 0.1; // 1 / fan in, or about the mean
    double mean = shape.length == 1 && (name.endsWith("weight") || name.endsWith("running_var")) ? 1 : 0;
    var values = new float[(int) count];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (mean + deviation * (2 * random.nextFloat() - 1));
    }
    return TensorView.ofFloats(name, shape, values);
  }

  /** (n, h, w, 3) to (n, 3, h, w), normalised. */
  private static float[] inputs(byte[] pixels) {
    float[] mean = {0.485f, 0.456f, 0.406f};
    float[] std = {0.229f, 0.224f, 0.225f};
    var inputs = new float[pixels.length];
    int plane = SIZE * SIZE;
    for (int i = 0; i < pixels.length; i++) {
      int channel = i % 3;
      int pixel = i / 3;
      inputs[(pixel / plane * 3 + channel) * plane + pixel % plane] = ((pixels[i] & 0xFF) / 255f - mean[channel]) / std[channel];
    }
    return inputs;
  }
}
