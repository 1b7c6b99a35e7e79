// SPDX-License-Identifier: Apache-2.0
package dev.motley.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.testing.RandomPicture;
import org.junit.jupiter.api.Test;

/** Pictures put together, cut and compared. */
class ContactSheetTest {
  private static int pixel(RgbImage image, int x, int y) {
    int at = 3 * (y * image.width() + x);
    return (image.pixels()[at] & 0xff) << 16 | (image.pixels()[at + 1] & 0xff) << 8 | image.pixels()[at + 2] & 0xff;
  }

  @Test
  void picturesLieInRowsWithAGapOfWhite() {
    var sheet = new ContactSheet(3, 2, 5, 4);
    RgbImage picture = RandomPicture.of(4, 5);
    sheet.put(1, picture);
    sheet.put(5, picture);
    RgbImage image = sheet.image();
    assertThat(image.width()).isEqualTo(3 * 5 + 2 * 2);
    assertThat(image.height()).isEqualTo(2 * 4 + 2);
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < image.width(); x++) {
        boolean first = x >= 7 && x < 12 && y < 4;
        boolean second = x >= 14 && y >= 6;
        int expected = first ? pixel(picture, x - 7, y) : second ? pixel(picture, x - 14, y - 6) : 0xffffff;
        assertThat(pixel(image, x, y)).as("%d, %d", x, y).isEqualTo(expected);
      }
    }
    assertThat(new ContactSheet(2, 1, 512, 768).image().width()).isEqualTo(2 * 512 + 8);
    assertThat(new ContactSheet(1, 1, 4, 5).image().pixels()).hasSize(3 * 4 * 5);
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> new ContactSheet(9999, 9999, 512, 512))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("a sheet of 9999x9999 pictures of 512x512 pixels is too large: at most 67,108,864 pixels fit");
    var sheet = new ContactSheet(1, 1, 4, 4);
    assertThatThrownBy(() -> sheet.put(1, RandomPicture.of(4, 4))).hasMessageContaining("picture 1 of 4x4");
    assertThatThrownBy(() -> sheet.put(0, RandomPicture.of(4, 5))).hasMessageContaining("does not fit a sheet of 1 of 4x4");
  }

  @Test
  void aPictureFillsAnotherSizeWithItsProportions() {
    RgbImage wide = RandomPicture.of(4, 10);
    RgbImage middle = wide.filling(4, 6, Resize.Filter.PIL_BICUBIC);
    for (int y = 0; y < 4; y++) {
      for (int x = 0; x < 6; x++) {
        assertThat(pixel(middle, x, y)).isEqualTo(pixel(wide, x + 2, y));
      }
    }
    assertThat(wide.filling(8, 20, Resize.Filter.PIL_BICUBIC).pixels())
        .isEqualTo(wide.resized(8, 20, Resize.Filter.PIL_BICUBIC).pixels());
    RgbImage high = RandomPicture.of(37, 11).filling(16, 48, Resize.Filter.PIL_BICUBIC);
    assertThat(high.width()).isEqualTo(48);
    assertThat(high.height()).isEqualTo(16);
    assertThatThrownBy(() -> RandomPicture.of(1, 30_000).filling(512, 512, Resize.Filter.PIL_BICUBIC))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("a picture of 30000x1 pixels is too long and narrow to fill 512x512");
  }

  @Test
  void differencesAreCounted() {
    var a = new RgbImage(1, 2, new byte[] {0, 1, 2, (byte) 255, 4, 5});
    var b = new RgbImage(1, 2, new byte[] {0, 1, 3, 0, 4, 5});
    assertThat(Difference.of(a, a)).hasToString("identical");
    assertThat(Difference.of(a, b)).hasToString("2 of 6 values differ, most by 255");
  }
}
