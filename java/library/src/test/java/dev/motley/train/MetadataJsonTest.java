// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.DropRates;
import dev.motley.InvalidInputException;
import dev.motley.Normalisation;
import dev.motley.Precision;
import dev.motley.Stem;
import dev.motley.weights.SafeTensors;
import dev.motley.weights.SafeTensorsWriter;
import dev.motley.weights.TensorView;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Motley's own files say of themselves, whole and damaged. */
class MetadataJsonTest {
  private static final Path FILE = Path.of("model.safetensors");

  private static final ClassifierSpec SPEC =
      new ClassifierSpec(
          "mobilenet_v3_small", 40, List.of("a", "b"), Normalisation.UNIT, Stem.CIFAR, new DropRates(0.1, 0), 32, 48, true);

  /** As files of before stem, rates, pictureSize, resize and testInTraining have it. */
  private static final String OLD =
      """
      {"format": "motley-classifier-1", "classifier": {"architecture": "resnet50", "imageSize": 32, "classNames": ["a", "b"],
       "normalisation": {"meanRed": 0, "meanGreen": 0, "meanBlue": 0, "stdRed": 1, "stdGreen": 1, "stdBlue": 1}}}""";

  private static final String POSITION =
      """
      {"identity": "x", "epoch": 1, "step": 2, "steps": 5, "lossSum": 0.5, "correct": 3, "images": 16, "seconds": 1.5}""";

  @TempDir private Path folder;

  private static ClassifierSpec spec(String json) {
    return ClassifierSpec.fromMetadata(FILE, Map.of("motley", json));
  }

  @Test
  void aSpecIsReadAsItWasWritten() {
    assertThat(ClassifierSpec.fromMetadata(FILE, SPEC.toMetadata())).isEqualTo(SPEC);
  }

  @Test
  void whatOlderFilesLackIsAsItWasThen() {
    assertThat(spec(OLD)).isEqualTo(new ClassifierSpec("resnet50", 32, List.of("a", "b"), Normalisation.UNIT));
  }

  /** A part of {@link #OLD}, what stands there instead, and what is said of it. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {.*}                        | null              | expected an object, got null
          {.*}                        | []                | expected an object, got array
          {.*}                        | {                 | Unexpected end-of-input
          {.*}                        | {} {}             | Trailing token
          , "classifier.*}}           | }                 | Missing creator property 'classifier'
          "classifier": .*}}          | "classifier": null} | Null value for creator property 'classifier'
          "classifier": .*}}          | "classifier": 3}  | Cannot construct instance of `dev.motley.train.ClassifierSpec`
          "format": "motley           | "form": "motley   | Missing creator property 'format'
          "architecture": "resnet50", |                   | Missing creator property 'architecture'
          "imageSize"                 | "x": 1, "imageSize" | Unrecognized field "x"
          "resnet50"                  | null              | Null value for creator property 'architecture'
          "imageSize": 32,            |                   | Missing creator property 'imageSize'
          32                          | null              | Cannot map `null` into type `int`
          "classNames": .*],          |                   | Missing creator property 'classNames'
          "b"                         | null              | Invalid `null` value encountered for property "classNames"
          , "stdBlue": 1              |                   | Missing creator property 'stdBlue'
          "stdBlue": 1                | "stdBlue": 0      | a standard deviation must be above 0, got 0.0
          "imageSize"                 | "stem": null, "imageSize" | Null value for creator property 'stem'
          """)
  void aDamagedSpecIsRefusedInOneLine(String part, String instead, String said) {
    String broken = OLD.replace("\n", "").replaceFirst(part.startsWith("{") ? "\\" + part : part, instead == null ? "" : instead);
    assertThatThrownBy(() -> spec(broken))
        .as(broken)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("model.safetensors: its \"motley\" metadata is damaged: ")
        .hasMessageContaining(said)
        .hasMessageNotContainingAny("\n", "Feature", "(index");
  }

  @Test
  void anotherFormatIsNamed() {
    assertThatThrownBy(() -> spec(OLD.replace("-1", "-2")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("model.safetensors has format motley-classifier-2, expected motley-classifier-1");
  }

  @Test
  void aModelWithDamagedMetadataIsRefusedBeforeItsWeights() {
    Path file = folder.resolve("model.safetensors");
    SafeTensorsWriter.write(file, List.of(TensorView.ofLongs("x", new long[0], 0)), Map.of("motley", "null"));
    assertThatThrownBy(() -> Classifier.load(file, Precision.FP32))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(file + ": its \"motley\" metadata is damaged: expected an object, got null");
  }

  private Checkpoint.Position position(String json) {
    Path file = folder.resolve("checkpoint.safetensors");
    SafeTensorsWriter.write(file, List.of(TensorView.ofLongs("x", new long[0], 0)), Map.of("motley.position", json));
    try (SafeTensors checkpoint = SafeTensors.open(file)) {
      return Checkpoint.position(FILE, checkpoint);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {.*}            | null            | expected an object, got null
          {.*}            | {}              | Missing creator property 'identity'
          "identity": "x" | "identity": null | Null value for creator property 'identity'
          , "steps": 5    |                 | Missing creator property 'steps'
          "steps": 5      | "steps": null   | Cannot map `null` into type `long`
          "steps": 5      | "steps": "five" | not a valid `long` value
          """)
  void aDamagedPositionIsRefusedInOneLine(String part, String instead, String said) {
    assertThat(position(POSITION)).isEqualTo(new Checkpoint.Position("x", 1, 2, 5, 0.5, 3, 16, 1.5));
    String broken = POSITION.replaceFirst(part.startsWith("{") ? "\\" + part : part, instead == null ? "" : instead);
    assertThatThrownBy(() -> position(broken))
        .as(broken)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("model.safetensors: its \"motley.position\" metadata is damaged: ")
        .hasMessageContaining(said)
        .hasMessageNotContainingAny("\n", "Feature", "(index");
  }
}
