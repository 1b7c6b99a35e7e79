// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import dev.motley.InvalidInputException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Base64;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** A picture that travels inside the page, as PNG. */
public final class Picture {

  /** The eight bytes every PNG begins with, and the name of the chunk that must follow. */
  private static final long SIGNATURE = 0x89504E470D0A1A0AL;

  private static final int HEADER_CHUNK = 0x49484452;
  private static final int HEADER_BYTES = 24;

  private final byte[] png;
  private final int width;
  private final int height;

  private Picture(byte[] png, int width, int height) {
    this.png = png;
    this.width = width;
    this.height = height;
  }

  /**
   * Takes a picture that is PNG already, as the synthetic store keeps them.
   *
   * @param png the file's bytes; copied
   * @return the picture
   * @throws InvalidInputException if the bytes do not begin as a PNG does
   */
  public static Picture png(byte[] png) {
    ByteBuffer header = ByteBuffer.wrap(png);
    if (png.length < HEADER_BYTES
        || header.getLong(0) != SIGNATURE
        || header.getInt(12) != HEADER_CHUNK) {
      throw new InvalidInputException("a picture of " + png.length + " bytes is not a PNG");
    }
    return new Picture(png.clone(), header.getInt(16), header.getInt(20));
  }

  /**
   * Encodes pixels.
   *
   * @param width in pixels
   * @param height in pixels
   * @param rgb (height, width, 3) bytes
   * @return the picture
   * @throws InvalidInputException if the bytes do not fit the size
   */
  public static Picture rgb(int width, int height, byte[] rgb) {
    if (width < 1 || height < 1 || rgb.length != 3L * width * height) {
      throw new InvalidInputException(
          "%d bytes for a picture of %d x %d: expected height x width x 3"
              .formatted(rgb.length, width, height));
    }
    var image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < width * height; i++) {
      int red = Byte.toUnsignedInt(rgb[3 * i]);
      int green = Byte.toUnsignedInt(rgb[3 * i + 1]);
      int blue = Byte.toUnsignedInt(rgb[3 * i + 2]);
      image.setRGB(i % width, i / width, red << 16 | green << 8 | blue);
    }
    var out = new ByteArrayOutputStream();
    try (var stream = new MemoryCacheImageOutputStream(out)) { // ImageIO's own choice would be a file
      ImageIO.write(image, "png", stream);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory", e);
    }
    return new Picture(out.toByteArray(), width, height);
  }

  /**
   * Returns the width.
   *
   * @return in pixels
   */
  public int width() {
    return width;
  }

  /**
   * Returns the height.
   *
   * @return in pixels
   */
  public int height() {
    return height;
  }

  /** The picture as the value of a {@code src} attribute. */
  String dataUri() {
    return "data:image/png;base64," + Base64.getEncoder().encodeToString(png);
  }
}
