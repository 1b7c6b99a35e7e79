// SPDX-License-Identifier: Apache-2.0
package dev.motley.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PictureReaderTest {

  /** A print shop's JPEG of 16x16 pixels in four blocks, written by Pillow 12.3; the colours are its convert("RGB"). */
  @ParameterizedTest(name = "Adobe transform {0}")
  @CsvSource({"0, 28 97 98, 42 84 63, 92 68 147, 137 161 102", "2, 92 145 86, 181 118 154, 60 134 185, 19 73 0"})
  void fourInksBecomeLight(int transform, String topLeft, String topRight, String bottomLeft, String bottomRight)
      throws IOException {
    byte[] jpeg;
    try (InputStream in = getClass().getResourceAsStream("cmyk.jpg")) {
      jpeg = Objects.requireNonNull(in).readAllBytes();
    }
    int adobe = new String(jpeg, StandardCharsets.ISO_8859_1).indexOf("Adobe");
    jpeg[adobe + 11] = (byte) transform; // 0: inks as they are, 2: YCCK
    RgbImage image = PictureReader.decode("cmyk.jpg", jpeg);
    assertThat(pixel(image, 0, 0)).isEqualTo(topLeft);
    assertThat(pixel(image, 0, 8)).isEqualTo(topRight);
    assertThat(pixel(image, 8, 0)).isEqualTo(bottomLeft);
    assertThat(pixel(image, 8, 8)).isEqualTo(bottomRight);
  }

  private static String pixel(RgbImage image, int y, int x) {
    int at = 3 * (y * image.width() + x);
    byte[] p = image.pixels();
    return (p[at] & 0xff) + " " + (p[at + 1] & 0xff) + " " + (p[at + 2] & 0xff);
  }
}
