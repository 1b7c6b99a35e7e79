// SPDX-License-Identifier: Apache-2.0
package dev.motley.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.testing.RandomPicture;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PngTest {

  @ParameterizedTest
  @CsvSource({"1,1", "1,7", "7,1", "32,32", "33,17", "64,200"})
  void roundTripsPixelsAndTexts(int height, int width) {
    RgbImage image = RandomPicture.of(height, width);
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put("prompt", "a photo of an ankle boot\nNegative prompt: é");
    texts.put("title", "靴 🐶");
    texts.put("empty", "");
    byte[] png = Png.encode(image, texts);
    RgbImage read = Png.decode("test", png);
    assertThat(read.width()).isEqualTo(width);
    assertThat(read.height()).isEqualTo(height);
    assertThat(read.pixels()).isEqualTo(image.pixels());
    assertThat(Png.texts("test", png)).containsExactlyEntriesOf(texts);
    assertThat(Png.encode(image, texts)).isEqualTo(png);
  }

  @Test
  void smoothPicturesShrink() {
    byte[] pixels = new byte[3 * 64 * 64];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (i / 192 + i % 192 / 3);
    }
    assertThat(Png.encode(new RgbImage(64, 64, pixels), Map.of()).length)
        .isLessThan(pixels.length / 20);
  }

  /** Alpha is dropped and not blended; grey is not brightened; 16 bits keep their high byte. */
  @ParameterizedTest
  @CsvSource({
    "2, 10 20 30", // TYPE_INT_ARGB
    "6, 10 20 30", // TYPE_4BYTE_ABGR
    "1, 10 20 30", // TYPE_INT_RGB
    "5, 10 20 30", // TYPE_3BYTE_BGR
    "13, 10 20 30", // TYPE_BYTE_INDEXED
    "10, 77 77 77", // TYPE_BYTE_GRAY
    "11, 77 77 77" // TYPE_USHORT_GRAY
  })
  void readsEveryKindOfPng(int type, String expected) throws IOException {
    BufferedImage image =
        type == BufferedImage.TYPE_BYTE_INDEXED
            ? new BufferedImage(
                3,
                2,
                type,
                new java.awt.image.IndexColorModel(
                    8, 2, new byte[] {0, 10}, new byte[] {0, 20}, new byte[] {0, 30}))
            : new BufferedImage(3, 2, type);
    switch (type) {
      case BufferedImage.TYPE_BYTE_GRAY -> image.getRaster().setSample(1, 1, 0, 77);
      case BufferedImage.TYPE_USHORT_GRAY -> image.getRaster().setSample(1, 1, 0, 77 * 257);
      default -> image.setRGB(1, 1, 0x400a141e | (type == 2 || type == 6 ? 0 : 0xff000000));
    }
    var out = new ByteArrayOutputStream();
    assertThat(ImageIO.write(image, "png", out)).isTrue();
    RgbImage read = Png.decode("test", out.toByteArray());
    byte[] pixel = Arrays.copyOfRange(read.pixels(), 3 * 4, 3 * 5);
    assertThat(pixel[0] + " " + pixel[1] + " " + pixel[2]).isEqualTo(expected);
  }

  @Test
  void readsCompressedTexts() {
    // "k\0\0" and deflate("hello"), then an iTXt with compression flag 1.
    byte[] packed = deflated("hello".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    byte[] png = Png.encode(RandomPicture.of(1, 1), Map.of());
    byte[] with = insert(png, "zTXt", concat(new byte[] {'k', 0, 0}, packed));
    with = insert(with, "iTXt", concat(new byte[] {'i', 0, 1, 0, 0, 0}, packed));
    assertThat(Png.texts("test", with)).containsEntry("k", "hello").containsEntry("i", "hello");
  }

  @Test
  void refusesTextBombsAndDamage() {
    byte[] png = Png.encode(RandomPicture.of(4, 4), Map.of("k", "v"));
    byte[] bomb = insert(png, "zTXt", concat(new byte[] {'k', 0, 0}, deflated(new byte[2 << 20])));
    refused(bomb, "unpack to more than 1048576 bytes");
    byte[] half = concat(new byte[] {'z', 0, 0}, deflated(new byte[1 << 19]));
    byte[] two = insert(insert(png, "zTXt", half), "zTXt", half);
    assertThat(Png.texts("test", two).get("z")).hasSize(1 << 19);
    refused(insert(two, "iTXt", concat(new byte[] {'k', 0, 1, 0, 0, 0}, deflated(new byte[1]))), "unpack to more than 1048576 bytes");
    refused(insert(png, "zTXt", Arrays.copyOf(half, half.length - 9)), "is cut short");
    refused(insert(png, "tEXt", new byte[] {'k'}), "without end of keyword");
    refused(Arrays.copyOf(png, png.length - 12), "ends before its IEND");
    refused(Arrays.copyOf(png, png.length - 20), "reaches past the end");
    byte[] flipped = png.clone();
    flipped[45] ^= 1; // inside the text chunk behind IHDR
    refused(flipped, "wrong checksum");
    refused(new byte[] {1, 2, 3}, "not a PNG picture");
    assertThatThrownBy(() -> Png.encode(RandomPicture.of(1, 1), Map.of("", "x")))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> Png.encode(RandomPicture.of(1, 1), Map.of("k", "a\0b")))
        .hasMessageContaining("no NUL");
  }

  @Test
  void randomDamageNeverEscapes() {
    byte[] png = Png.encode(RandomPicture.of(9, 9), Map.of("k", "v"));
    Random random = new Random(3);
    for (int round = 0; round < 500; round++) {
      byte[] damaged =
          Arrays.copyOf(png, random.nextInt(3) == 0 ? random.nextInt(png.length) : png.length);
      for (int i = 0; i < 3 && damaged.length > 0; i++) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
      }
      try {
        Png.decode("test", damaged);
        Png.texts("test", damaged);
      } catch (InvalidInputException e) {
        assertThat(e.getMessage()).startsWith("test: ").doesNotContain("\n");
      }
    }
  }

  private static void refused(byte[] png, String complaint) {
    assertThatThrownBy(() -> Png.texts("test", png))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("test: ")
        .hasMessageContaining(complaint);
  }

  private static byte[] deflated(byte[] data) {
    var out = new ByteArrayOutputStream();
    try (var stream = new java.util.zip.DeflaterOutputStream(out)) {
      stream.write(data);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return out.toByteArray();
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }

  /** A chunk with a right checksum behind the header chunk. */
  private static byte[] insert(byte[] png, String type, byte[] data) {
    byte[] body = concat(type.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1), data);
    var crc = new java.util.zip.CRC32();
    crc.update(body);
    byte[] chunk =
        java.nio.ByteBuffer.allocate(body.length + 8)
            .putInt(data.length)
            .put(body)
            .putInt((int) crc.getValue())
            .array();
    byte[] start = concat(Arrays.copyOf(png, 33), chunk);
    return concat(start, Arrays.copyOfRange(png, 33, png.length));
  }
}
