// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.ffi.NativeRuntime;
import dev.motley.image.RgbImage;
import dev.motley.testing.RandomPicture;
import dev.motley.testing.SmallVision;
import dev.motley.weights.TensorView;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ImageEncoderTest {
  private long liveBefore;

  @BeforeEach
  void count() {
    liveBefore = NativeRuntime.liveBytes();
  }

  @AfterEach
  void nothingIsLeftBehind() {
    assertThat(NativeRuntime.liveBytes()).isEqualTo(liveBefore);
  }

  private static ImageEncoder encoder(Map<String, TensorView> tensors, Precision precision) {
    return ImageEncoder.of("a file", SmallVision.CONFIG, tensors, precision);
  }

  /** More than are encoded at a time. */
  @ParameterizedTest
  @EnumSource
  void anEmbeddingDoesNotDependOnTheOtherPictures(Precision precision) {
    List<RgbImage> pictures =
        IntStream.range(0, 19).mapToObj(i -> RandomPicture.of(20 + i, 60 - i)).toList();
    try (var encoder = encoder(SmallVision.tensors(), precision)) {
      assertThat(encoder.width()).isEqualTo(32);
      float[] together = encoder.encode(pictures, ClipPreprocessing.CENTRE_CROP);
      assertThat(together).hasSize(19 * 32);
      for (int i = 0; i < 19; i++) {
        assertThat(encoder.encode(List.of(pictures.get(i)), ClipPreprocessing.CENTRE_CROP))
            .isEqualTo(Arrays.copyOfRange(together, i * 32, (i + 1) * 32));
      }
      float[] squeezed = encoder.encode(pictures, ClipPreprocessing.SQUEEZE);
      assertThat(squeezed).hasSameSizeAs(together).isNotEqualTo(together);
    }
  }

  /** A whole CLIP model gives its vision encoder; a safety checker's has a second prefix. */
  @Test
  void theSameTensorsMayHaveOtherNames() {
    List<RgbImage> picture = List.of(RandomPicture.of(28, 28));
    float[] expected;
    try (var encoder = encoder(SmallVision.tensors(), Precision.FP32)) {
      expected = encoder.encode(picture, ClipPreprocessing.CENTRE_CROP);
    }
    Map<String, TensorView> renamed = new LinkedHashMap<>();
    SmallVision.tensors()
        .forEach((name, tensor) -> renamed.put(name.startsWith("vision_model.") ? "vision_model." + name : name, tensor));
    renamed.put("logit_scale", TensorView.ofFloats("logit_scale", new long[0], 4.6f));
    renamed.put("text_model.x", TensorView.ofFloats("text_model.x", new long[] {1}, 1));
    try (var encoder = encoder(renamed, Precision.FP32)) {
      assertThat(encoder.encode(picture, ClipPreprocessing.CENTRE_CROP)).isEqualTo(expected);
    }
  }

  @Test
  void damageIsNamed() {
    Map<String, TensorView> tensors = SmallVision.tensors();
    TensorView projection = tensors.remove("visual_projection.weight");
    assertThatThrownBy(() -> encoder(tensors, Precision.FP32))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContainingAll("a file: ", "visual_projection.weight is missing");
    float[] values = projection.toFloats();
    values[7] = Float.NaN;
    tensors.put(projection.name(), TensorView.ofFloats(projection.name(), projection.shape(), values));
    try (var encoder = encoder(tensors, Precision.FP32)) {
      assertThatThrownBy(() -> encoder.encode(List.of(RandomPicture.of(9, 9)), ClipPreprocessing.SQUEEZE))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("a file: embeddings of pictures are not finite");
      assertThatThrownBy(() -> encoder.encode(List.of(), ClipPreprocessing.SQUEEZE))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage("there is no picture to encode");
    }
  }
}
