// SPDX-License-Identifier: Apache-2.0
package dev.motley.image;

import dev.motley.InvalidInputException;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * PNG, JPEG, BMP and GIF pictures to 8-bit RGB, as Pillow's {@code convert("RGB")} gives it: alpha is
 * dropped, grey repeated, CMYK inks become light, colour profiles and orientation marks are ignored.
 */
public final class PictureReader {
  /** A decoder that believes a header of 60000x60000 takes 10 GB; no data set has such pictures. */
  static final long MAX_PIXELS = 1L << 26;

  /** Deflate shrinks to 1/1032 at best, of PNG's smallest pixels of one bit; JPEG shrinks less. */
  private static final int MAX_PIXELS_PER_BYTE = 8 * 1032;

  private PictureReader() {}

  /**
   * Decodes a picture.
   *
   * @param name what messages call it
   * @param bytes the whole file
   * @throws InvalidInputException if it is damaged, cut short, too large or of another format
   */
  public static RgbImage decode(String name, byte[] bytes) {
    if (Png.isPng(bytes)) {
      Optional<RgbImage> usual = PngPixels.decode(bytes, Math.min(MAX_PIXELS, (long) MAX_PIXELS_PER_BYTE * bytes.length));
      if (usual.isPresent()) {
        return usual.get();
      }
    }
    try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
      if (!readers.hasNext()) {
        throw new InvalidInputException(name + ": not a picture in PNG, JPEG, BMP or GIF format");
      }
      ImageReader reader = readers.next();
      try {
        return decode(name, bytes.length, reader, in);
      } finally {
        reader.dispose();
      }
    } catch (InvalidInputException e) {
      throw e;
    } catch (IOException | RuntimeException e) { // the JDK's decoders throw either on damage
      throw new InvalidInputException(name + ": picture cannot be decoded: " + firstLine(e), e);
    }
  }

  private static RgbImage decode(String name, int bytes, ImageReader reader, ImageInputStream in)
      throws IOException {
    reader.setInput(in, true, true);
    long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
    if (pixels > MAX_PIXELS) {
      throw new InvalidInputException(
          name
              + ": picture of "
              + reader.getWidth(0)
              + "x"
              + reader.getHeight(0)
              + " pixels, at most "
              + MAX_PIXELS
              + " pixels are supported");
    }
    if (pixels > (long) MAX_PIXELS_PER_BYTE * bytes) {
      throw new InvalidInputException(
          "%s: %d bytes cannot hold a picture of %dx%d pixels; damaged?"
              .formatted(name, bytes, reader.getWidth(0), reader.getHeight(0)));
    }
    // The JPEG decoder fills what is missing with grey and only warns.
    var cutShort = new AtomicBoolean();
    reader.addIIOReadWarningListener(
        (source, warning) -> {
          if (warning.contains("remature end")) {
            cutShort.set(true);
          }
        });
    BufferedImage image = reader.read(0);
    if (cutShort.get()) {
      throw new InvalidInputException(name + ": picture is cut short");
    }
    return new RgbImage(image.getHeight(), image.getWidth(), rgb(image));
  }

  private static byte[] rgb(BufferedImage image) {
    int width = image.getWidth();
    int height = image.getHeight();
    byte[] out = new byte[3 * width * height];
    if (image.getColorModel() instanceof IndexColorModel) {
      int[] row = new int[width];
      for (int y = 0, at = 0; y < height; y++) {
        for (int pixel : image.getRGB(0, y, width, 1, row, 0, width)) {
          out[at++] = (byte) (pixel >> 16);
          out[at++] = (byte) (pixel >> 8);
          out[at++] = (byte) pixel;
        }
      }
      return out;
    }
    // Samples are taken raw: getRGB would treat grey as linear light and brighten it.
    Raster raster = image.getRaster();
    int bands = raster.getNumBands();
    int shift = raster.getDataBuffer().getDataType() == DataBuffer.TYPE_USHORT ? 8 : 0;
    boolean inks = bands == 4 && image.getColorModel().getColorSpace().getType() == ColorSpace.TYPE_CMYK;
    int[] row = new int[width * bands];
    for (int y = 0, at = 0; y < height; y++) {
      raster.getPixels(0, y, width, 1, row);
      if (inks) {
        toLight(row);
      }
      for (int x = 0; x < width; x++) {
        for (int c = 0; c < 3; c++) {
          out[at++] = (byte) (row[x * bands + (bands >= 3 ? c : 0)] >> shift);
        }
      }
    }
    return out;
  }

  /** Four inks to red, green and blue, in place, as Pillow computes them: light is what neither ink nor black takes. */
  private static void toLight(int[] row) {
    for (int at = 0; at < row.length; at += 4) {
      int white = 255 - row[at + 3];
      for (int c = 0; c < 3; c++) {
        int taken = row[at + c] * white + 128;
        row[at + c] = white - ((taken >> 8) + taken >> 8); // divided by 255, rounded
      }
    }
  }

  private static String firstLine(Exception e) {
    String text = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    return text.lines().findFirst().orElse("");
  }
}
