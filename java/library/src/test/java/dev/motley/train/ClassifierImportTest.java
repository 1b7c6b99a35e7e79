// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.motley.BatchNormMode;
import dev.motley.InvalidInputException;
import dev.motley.Normalisation;
import dev.motley.Precision;
import dev.motley.dataset.ImageSet;
import dev.motley.dataset.RealData;
import dev.motley.evaluate.Prediction;
import dev.motley.testing.Shared;
import dev.motley.tricks.ClassList;
import dev.motley.weights.SafeTensors;
import dev.motley.weights.SafeTensorsWriter;
import dev.motley.weights.TensorView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights that others trained: the CIFAR-10 ResNets of akamaster/pytorch_resnet_cifar10 with their published predictions. */
class ClassifierImportTest {
  private static final List<String> CLASSES = ClassList.preset("cifar10").labels();

  /** Of the listed logits, which are rounded to five decimals and were computed with BatchNorm folded in float32. */
  private static final double LOGITS = 1e-3;

  @TempDir private Path folder;

  private static ClassifierSpec spec(String architecture) {
    return new ClassifierSpec(architecture, 32, CLASSES, Normalisation.IMAGENET);
  }

  @ParameterizedTest
  @CsvSource({"resnet20, resnet20-12fca82f-cifar10, 9173", "resnet56, resnet56-4bfd9763-cifar10, 9339"})
  void publishedResNetsPredictAsPublished(String architecture, String file, int right) throws IOException {
    Path weights = Shared.path("data/weights/" + file + ".safetensors");
    ImageSet test = RealData.open(Shared.path("data/cifar10").toString()).images();
    float[] logits;
    try (Classifier classifier = ClassifierImport.read(weights, spec(architecture), Precision.FP32)) {
      logits = classifier.logits(test, 128, BatchNormMode.RUNNING, _ -> true);
    }
    List<Integer> labels = Prediction.all(10, logits).stream().map(Prediction::label).toList();
    List<Integer> theirs =
        Files.readString(Shared.path("data/weights/" + architecture + "_cifar10_test_predictions.txt"))
            .strip()
            .chars()
            .mapToObj(digit -> digit - '0')
            .toList();
    assertThat(labels).isEqualTo(theirs);
    int hits = 0;
    for (int i = 0; i < labels.size(); i++) {
      hits += labels.get(i) == test.labels()[i] ? 1 : 0;
    }
    assertThat(hits).as("the published test error").isEqualTo(right);
    for (String line : Files.readAllLines(Shared.path("data/weights/" + architecture + "_cifar10_expected_logits_first200.csv")).stream().skip(1).toList()) {
      String[] fields = line.split(",");
      for (int k = 0; k < 10; k++) {
        double expected = Double.parseDouble(fields[3 + k]);
        assertThat((double) logits[Integer.parseInt(fields[0]) * 10 + k]).as(line).isCloseTo(expected, within(LOGITS));
      }
    }
  }

  /** DataParallel; torch.compile of it; a Lightning module of a compiled network; each in the other order, and one twice. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "module.", "_orig_mod.module.", "module._orig_mod.", "model._orig_mod.", "_orig_mod.model.", "module.module.",
        "model._orig_mod.module."
      })
  void wrappersAndMissingCountersAreNoHindrance(String wrappers) {
    Path plain = folder.resolve("plain.safetensors");
    Path wrapped = folder.resolve("wrapped.safetensors");
    Path again = folder.resolve("again.safetensors");
    try (Classifier fresh = fresh("resnet20", 3)) {
      fresh.save(plain);
    }
    try (SafeTensors tensors = SafeTensors.open(plain)) {
      List<TensorView> bare =
          tensors.tensors().values().stream()
              .filter(t -> !t.name().endsWith("num_batches_tracked"))
              .map(t -> t.renamed(wrappers + t.name()))
              .toList();
      SafeTensorsWriter.write(wrapped, bare, Map.of());
    }
    try (Classifier read = ClassifierImport.read(wrapped, spec("resnet20"), Precision.FP32)) {
      read.save(again);
    }
    try (SafeTensors a = SafeTensors.open(plain);
        SafeTensors b = SafeTensors.open(again)) {
      assertThat(b.names()).isEqualTo(a.names());
      for (String name : a.names()) {
        assertThat(b.tensor(name).data()).as(name).isEqualTo(a.tensor(name).data());
      }
    }
  }

  @Test
  void anotherNetworkIsRefusedWithWhatDiffers() {
    Path file = folder.resolve("resnet20.safetensors");
    try (Classifier fresh = fresh("resnet20", 3)) {
      fresh.save(file);
    }
    assertThatThrownBy(() -> ClassifierImport.read(file, spec("resnet56"), Precision.FP32))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll(file.toString(), "layer1.3.conv1.weight");
    var many = new ArrayList<String>();
    for (int i = 0; i < 100; i++) {
      many.add("class " + i);
    }
    var hundred = new ClassifierSpec("resnet20", 32, many, Normalisation.IMAGENET);
    assertThatThrownBy(() -> ClassifierImport.read(file, hundred, Precision.FP32))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll("linear.weight", "(10, 64)", "(100, 64)");
  }

  private static Classifier fresh(String architecture, long seed) {
    return Classifier.create(Recipe.quick(32).with(Map.of("architecture", architecture, "seed", seed)), CLASSES);
  }
}
