// SPDX-License-Identifier: Apache-2.0
package dev.motley.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.motley.InvalidInputException;
import dev.motley.image.Resize.Filter;
import dev.motley.weights.SafeTensors;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Against torch (2.15; BICUBIC 2.10) and Pillow on a picture of 96x96. */
class ResizeTest {
  private static final int SIZE = 96;

  /** Four float32 roundings at values up to 1: torch sums in another order, with fused products. */
  private static final float FLOAT_TOLERANCE = 4.8e-7f;

  /** A position near 96 is rounded to 2^-18 of a pixel, and torch fuses the product before it. */
  private static final float BICUBIC_TOLERANCE = 2e-6f;

  private static SafeTensors golden;

  @BeforeAll
  static void openGolden() throws URISyntaxException {
    golden =
        SafeTensors.open(
            Path.of(
                Objects.requireNonNull(ResizeTest.class.getResource("golden_resize.safetensors"))
                    .toURI()));
  }

  @AfterAll
  static void closeGolden() {
    golden.close();
  }

  @ParameterizedTest
  @CsvSource({
    "BILINEAR, 32",
    "BILINEAR, 12",
    "BILINEAR_AA, 32",
    "BILINEAR_AA, 12",
    "BICUBIC, 32",
    "BICUBIC, 12",
    "BICUBIC, 100",
    "BICUBIC_AA, 32",
    "BICUBIC_AA, 12"
  })
  void floatsAreTorchs(Filter filter, int n) {
    float[] image = interleaved(golden.tensor("image").toFloats(), SIZE);
    float[] expected =
        interleaved(
            golden.tensor(filter.name().toLowerCase(java.util.Locale.ROOT) + "_" + n).toFloats(),
            n);
    float[] result = new Resize(SIZE, SIZE, n, n, filter).apply(image);
    assertThat(result).hasSameSizeAs(expected);
    float tolerance = filter == Filter.BICUBIC ? BICUBIC_TOLERANCE : FLOAT_TOLERANCE;
    for (int i = 0; i < result.length; i++) {
      assertThat(result[i]).isCloseTo(expected[i], within(tolerance));
    }
  }

  /** Bytes by the torch filters are the floats of the same bytes, rounded. */
  @ParameterizedTest
  @EnumSource(names = {"BILINEAR", "BILINEAR_AA", "BICUBIC", "BICUBIC_AA"})
  void bytesAreRoundedFloats(Filter filter) {
    float[] values = golden.tensor("u8").toFloats();
    Resize resize = new Resize(SIZE, SIZE, 20, 45, filter);
    float[] exact = resize.apply(values);
    byte[] rounded = resize.apply(bytes(values));
    for (int i = 0; i < exact.length; i++) {
      assertThat(rounded[i] & 0xff).isEqualTo((int) Math.rint(Math.clamp(exact[i], 0, 255)));
    }
  }

  @ParameterizedTest
  @CsvSource({"PIL_BILINEAR, 32", "PIL_BILINEAR, 12", "PIL_BICUBIC, 32", "PIL_BICUBIC, 12"})
  void bytesArePillows(Filter filter, int n) {
    byte[] image = bytes(golden.tensor("u8").toFloats());
    byte[] expected =
        bytes(golden.tensor(filter.name().toLowerCase(java.util.Locale.ROOT) + "_" + n).toFloats());
    assertThat(new Resize(SIZE, SIZE, n, n, filter).apply(image)).isEqualTo(expected);
  }

  @ParameterizedTest
  @EnumSource
  void sameSizeIsTheSamePicture(Filter filter) {
    byte[] image = random(3 * 7 * 5);
    assertThat(new Resize(7, 5, 7, 5, filter).apply(image)).isEqualTo(image);
  }

  @ParameterizedTest
  @EnumSource
  void oneColourStaysThatColourAtAnySize(Filter filter) {
    int[] sizes = {1, 2, 3, 5, 31, 64, 100};
    for (int from : sizes) {
      byte[] image = new byte[3 * from * from];
      Arrays.fill(image, (byte) 201);
      for (int to : sizes) {
        byte[] result = new Resize(from, from, to, 2 * to, filter).apply(image);
        assertThat(result).hasSize(6 * to * to).containsOnly((byte) 201);
      }
    }
  }

  @Test
  void refusesWrongSizes() {
    assertThatThrownBy(() -> new Resize(8, 8, 0, 8, Filter.BILINEAR))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("8x8 to 8x0");
    assertThatThrownBy(() -> new Resize(8, 8, 4, 4, Filter.BILINEAR).apply(new byte[3]))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("cannot have 3 bytes");
    assertThatThrownBy(() -> new Resize(8, 8, 4, 4, Filter.PIL_BICUBIC).apply(new float[192]))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("PIL_BICUBIC resizes bytes only");
  }

  private static byte[] random(int count) {
    byte[] bytes = new byte[count];
    new Random(count).nextBytes(bytes);
    return bytes;
  }

  private static byte[] bytes(float[] values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (int) values[i];
    }
    return bytes;
  }

  /** (3, n, n) to (n, n, 3). */
  private static float[] interleaved(float[] planes, int n) {
    float[] out = new float[planes.length];
    for (int i = 0; i < n * n; i++) {
      for (int c = 0; c < 3; c++) {
        out[3 * i + c] = planes[c * n * n + i];
      }
    }
    return out;
  }
}
