// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.motley.InvalidInputException;
import dev.motley.image.RgbImage;
import dev.motley.testing.RandomPicture;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClipPreprocessingTest {
  private static final double[] MEAN = {0.48145466, 0.4578275, 0.40821073};
  private static final double[] STD = {0.26862954, 0.26130258, 0.27577711};

  /** Of a whole byte after normalisation, at most. */
  private static final double ONE_LEVEL = 1 / 255.0 / 0.2613 + 1e-6;

  /** What Pillow 12.3 and numpy give of {@link #formula}(6, 11) at size 4: 7x4 pixels, columns 1 to 4. */
  private static final float[] WIDE = {
    -0.1864356f, -0.7411758f, 0.309911f, -0.1426404f, 0.791659f, -0.7703726f, -0.3470183f, 0.4412968f,
    -0.5221994f, -0.4492073f, -0.02585294f, 0.5726826f, 0.3683046f, 0.309911f, -0.5805931f, 0.2223204f,
    1.009332f, -0.08623484f, 0.2439362f, 0.8292391f, 0.9192857f, -0.04121154f, 0.7241847f, 0.1839051f,
    -0.3563747f, 0.4240294f, -0.3863902f, -0.2513203f, -0.6265144f, -0.07122707f, 0.1088661f, -0.2963436f,
    0.4394892f, 0.5674698f, 0.2972885f, 0.9514116f, -0.3710546f, 0.8660912f, 0.3115085f, 0.4110491f,
    0.2688484f, 0.7807708f, 0.7949909f, 0.3541688f, 1.235813f, 0.3683889f, 0.6954504f, 0.61013f
  };

  /** The same of (11, 6): 4x7 pixels, rows 1 to 4. */
  private static final float[] TALL = {
    0.5726826f, 0.1347298f, 0.2807141f, 0.09093457f, 0.2661157f, -0.5513963f, 0.1201314f, 0.9960369f,
    0.7186669f, -0.6973805f, 0.1347298f, -0.303223f, -0.4492073f, 0.7040684f, 0.1493283f, -0.09884507f,
    0.1388817f, -0.2363125f, 0.1688973f, 0.8142313f, 0.8292391f, -0.7615843f, 0.1538894f, 0.3790061f,
    0.5741071f, 0.003811762f, 0.8592546f, 0.4390371f, -0.5664834f, -0.3713824f, -0.8816466f, -0.2363125f,
    -0.1719737f, 0.61013f, -0.1861937f, 0.9229715f, -0.2146339f, 1.207373f, -0.01555296f, 0.6527902f,
    0.2688484f, 0.4963695f, 0.1266477f, 0.2830684f, 0.6954504f, 1.292693f, 0.809211f, 0.4110491f
  };

  private static RgbImage formula(int height, int width) {
    byte[] pixels = new byte[3 * height * width];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (i * 73 + i * i * 5);
    }
    return new RgbImage(height, width, pixels);
  }

  private static float[] prepared(RgbImage picture, int size, ClipPreprocessing how) {
    float[] guarded = new float[2 + 3 * size * size];
    how.write(picture, size, guarded, 1);
    assertThat(guarded[0]).isZero();
    assertThat(guarded[guarded.length - 1]).isZero();
    return java.util.Arrays.copyOfRange(guarded, 1, guarded.length - 1);
  }

  private static void assertClose(float[] found, float[] expected, double tolerance) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < found.length; i++) {
      assertThat((double) found[i]).as("value %d", i).isCloseTo(expected[i], within(tolerance));
    }
  }

  @Test
  void centreCropsAreTransformers() {
    assertClose(prepared(formula(6, 11), 4, ClipPreprocessing.CENTRE_CROP), WIDE, 1e-6);
    assertClose(prepared(formula(11, 6), 4, ClipPreprocessing.CENTRE_CROP), TALL, 1e-6);
  }

  /** A naive resize in double, rounded to bytes after each direction as Pillow does. */
  @ParameterizedTest
  @CsvSource({"40,31", "31,40", "28,28", "28,77", "5,9", "200,64", "1,3"})
  void centreCropsAreNaiveOnes(int height, int width) {
    int size = 28;
    RgbImage picture = RandomPicture.of(height, width);
    int shorter = Math.min(height, width);
    int newHeight = height * size / shorter;
    int newWidth = width * size / shorter;
    double[] narrow = resampled(values(picture), height, width, newWidth, true);
    double[] turned = resampled(transposed(narrow, height, newWidth), newWidth, height, newHeight, true);
    double[] resized = transposed(turned, newWidth, newHeight);
    float[] expected = new float[3 * size * size];
    for (int c = 0; c < 3; c++) {
      for (int y = 0; y < size; y++) {
        for (int x = 0; x < size; x++) {
          int from = 3 * ((y + (newHeight - size) / 2) * newWidth + x + (newWidth - size) / 2) + c;
          expected[(c * size + y) * size + x] = (float) ((resized[from] / 255 - MEAN[c]) / STD[c]);
        }
      }
    }
    assertClose(prepared(picture, size, ClipPreprocessing.CENTRE_CROP), expected, ONE_LEVEL);
  }

  /** Neither cropped nor clamped: bicubic with a = -0.75 overshoots. */
  @ParameterizedTest
  @CsvSource({"40,31", "28,28", "9,77", "300,200"})
  void squeezedPicturesAreNaiveOnes(int height, int width) {
    int size = 28;
    RgbImage picture = RandomPicture.of(height, width);
    double[] narrow = resampled(values(picture), height, width, size, false);
    double[] turned = resampled(transposed(narrow, height, size), size, height, size, false);
    double[] resized = transposed(turned, size, size);
    float[] expected = new float[3 * size * size];
    for (int c = 0; c < 3; c++) {
      for (int i = 0; i < size * size; i++) {
        expected[c * size * size + i] = (float) ((resized[3 * i + c] / 255 - MEAN[c]) / STD[c]);
      }
    }
    // Positions near 300 are rounded to 2^-16 of a pixel, and colours jump by 3.8 at most.
    assertClose(prepared(picture, size, ClipPreprocessing.SQUEEZE), expected, 2e-4);
  }

  @Test
  void aThreadOfAPictureIsRefused() {
    assertThatThrownBy(() -> prepared(RandomPicture.of(1, 60_000), 224, ClipPreprocessing.CENTRE_CROP))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("a picture of 60000x1 pixels is too long and narrow to be resized to 13440000x224");
    assertThatThrownBy(() -> prepared(new RgbImage(400_000, 1, new byte[3 * 400_000]), 224, ClipPreprocessing.SQUEEZE))
        .hasMessage("a picture of 1x400000 pixels is too long and narrow to be resized to 224x224");
  }

  private static double[] values(RgbImage picture) {
    double[] values = new double[picture.pixels().length];
    for (int i = 0; i < values.length; i++) {
      values[i] = picture.pixels()[i] & 0xff;
    }
    return values;
  }

  /** (height, width, 3) to (width, height, 3). */
  private static double[] transposed(double[] values, int height, int width) {
    double[] out = new double[values.length];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        System.arraycopy(values, 3 * (y * width + x), out, 3 * (x * height + y), 3);
      }
    }
    return out;
  }

  /**
   * (height, width, 3) to (height, newWidth, 3). Pillow's: a wide kernel with a = -0.5, of weights that add up to 1 within the picture,
   * rounded to bytes. Otherwise torch's: a = -0.75, edges repeated.
   */
  private static double[] resampled(double[] values, int height, int width, int newWidth, boolean pillow) {
    double scale = (double) width / newWidth;
    double stretch = pillow ? Math.max(scale, 1) : 1;
    DoubleUnaryOperator kernel = pillow ? x -> cubic(x, -0.5) : x -> cubic(x, -0.75);
    double[] out = new double[3 * height * newWidth];
    if (pillow && newWidth == width) {
      return values;
    }
    for (int x = 0; x < newWidth; x++) {
      double center = (x + 0.5) * scale - 0.5;
      int reach = (int) Math.ceil(2 * stretch) + 1;
      double total = 0;
      for (int k = (int) center - reach; k <= (int) center + reach; k++) {
        double weight = kernel.applyAsDouble((k - center) / stretch);
        if (pillow && (k < 0 || k >= width)) {
          continue;
        }
        total += weight;
        int from = Math.clamp(k, 0, width - 1);
        for (int i = 0; i < 3 * height; i++) {
          out[3 * (i / 3 * newWidth + x) + i % 3] += weight * values[3 * (i / 3 * width + from) + i % 3];
        }
      }
      for (int i = 0; i < 3 * height; i++) {
        int at = 3 * (i / 3 * newWidth + x) + i % 3;
        out[at] = pillow ? Math.clamp(Math.rint(out[at] / total), 0, 255) : out[at];
      }
    }
    return out;
  }

  private static double cubic(double signed, double a) {
    double x = Math.abs(signed);
    if (x <= 1) {
      return (a + 2) * x * x * x - (a + 3) * x * x + 1;
    }
    return x < 2 ? a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a : 0;
  }
}
