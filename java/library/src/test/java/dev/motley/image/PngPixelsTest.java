// SPDX-License-Identifier: Apache-2.0
package dev.motley.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PngPixelsTest {
  private static final long MANY = 1 << 20;

  /** Any bytes are the filtered rows of some picture, so noise tries every filter with every neighbour. */
  private static byte[] noise(int colours, int bands, int height, int width) {
    var random = new Random(colours + 10L * height + 1000L * width);
    var rows = new byte[(1 + bands * width) * height];
    random.nextBytes(rows);
    for (int y = 0; y < height; y++) {
      rows[y * (1 + bands * width)] = (byte) (y % 5);
    }
    var palette = new byte[3 * 256];
    random.nextBytes(palette);
    return png(colours, 8, height, width, rows, palette);
  }

  private static byte[] png(int colours, int bits, int height, int width, byte[] rows, byte[] palette) {
    var out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
    var header = ByteBuffer.allocate(13).putInt(width).putInt(height);
    header.put(new byte[] {(byte) bits, (byte) colours, 0, 0, 0});
    chunk(out, "IHDR", header.array());
    if (colours == 3) {
      chunk(out, "PLTE", palette);
    }
    byte[] packed = deflated(rows);
    chunk(out, "IDAT", Arrays.copyOf(packed, packed.length / 2));
    chunk(out, "IDAT", Arrays.copyOfRange(packed, packed.length / 2, packed.length));
    chunk(out, "IEND", new byte[0]);
    return out.toByteArray();
  }

  private static byte[] deflated(byte[] bytes) {
    var out = new ByteArrayOutputStream();
    try (var deflate = new DeflaterOutputStream(out)) {
      deflate.write(bytes);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return out.toByteArray();
  }

  private static void chunk(ByteArrayOutputStream out, String type, byte[] data) {
    var body = ByteBuffer.allocate(4 + data.length).put(type.getBytes(StandardCharsets.ISO_8859_1)).put(data).array();
    var crc = new CRC32();
    crc.update(body);
    out.writeBytes(ByteBuffer.allocate(4).putInt(data.length).array());
    out.writeBytes(body);
    out.writeBytes(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
  }

  private static byte[] byImageIo(byte[] png) throws IOException {
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
    var out = new byte[3 * image.getHeight() * image.getWidth()];
    int[] pixel = new int[4];
    for (int y = 0, at = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        if (image.getColorModel() instanceof IndexColorModel) {
          int rgb = image.getRGB(x, y);
          pixel = new int[] {rgb >> 16, rgb >> 8, rgb};
        } else {
          image.getRaster().getPixel(x, y, pixel);
        }
        boolean grey = !(image.getColorModel() instanceof IndexColorModel) && image.getRaster().getNumBands() < 3;
        for (int c = 0; c < 3; c++) {
          out[at++] = (byte) pixel[grey ? 0 : c];
        }
      }
    }
    return out;
  }

  @ParameterizedTest(name = "colour type {0}, {2}x{3}")
  @CsvSource({
    "0, 1, 1, 1", "0, 1, 7, 5", "2, 3, 1, 1", "2, 3, 6, 1", "2, 3, 1, 9", "2, 3, 32, 32", "2, 3, 17, 100", "3, 1, 11, 3",
    "4, 2, 8, 6", "6, 4, 1, 2", "6, 4, 64, 64"
  })
  void givesWhatImageIoGives(int colours, int bands, int height, int width) throws IOException {
    byte[] png = noise(colours, bands, height, width);
    RgbImage image = PngPixels.decode(png, MANY).orElseThrow();
    assertThat(image.height()).isEqualTo(height);
    assertThat(image.width()).isEqualTo(width);
    assertThat(image.pixels()).isEqualTo(byImageIo(png));
  }

  @Test
  void leavesWhatIsNotUsualToImageIo() {
    assertThat(PngPixels.decode(png(0, 16, 1, 1, new byte[3], new byte[0]), MANY)).as("16 bits").isEmpty();
    assertThat(PngPixels.decode(png(0, 1, 1, 8, new byte[2], new byte[0]), MANY)).as("1 bit").isEmpty();
    assertThat(PngPixels.decode(png(3, 8, 1, 1, new byte[] {0, 2}, new byte[6]), MANY)).as("past the palette").isEmpty();
    assertThat(PngPixels.decode(png(2, 8, 1, 1, new byte[] {5, 0, 0, 0}, new byte[0]), MANY)).as("filter 5").isEmpty();
    assertThat(PngPixels.decode(png(2, 8, 1, 1, new byte[3], new byte[0]), MANY)).as("too few rows").isEmpty();
    assertThat(PngPixels.decode(png(2, 8, 1, 1, new byte[5], new byte[0]), MANY)).as("too many rows").isEmpty();
    byte[] sound = noise(2, 3, 9, 9);
    assertThat(PngPixels.decode(sound, 80)).as("more pixels than allowed").isEmpty();
    for (int length = 0; length < sound.length; length++) {
      assertThat(PngPixels.decode(Arrays.copyOf(sound, length), MANY)).as("cut to %d bytes", length).isEmpty();
    }
    for (int i = 8; i < sound.length; i++) { // the signature is the caller's to look at
      byte[] damaged = sound.clone();
      damaged[i] ^= 16;
      assertThat(PngPixels.decode(damaged, MANY)).as("byte %d", i).isEmpty();
    }
  }
}
