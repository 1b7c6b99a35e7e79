// SPDX-License-Identifier: Apache-2.0
package dev.motley.image;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * The kind of PNG that data sets are made of, sound and with 8 bits a sample, not interlaced: decoded some four times as fast as
 * ImageIO does. All other pictures, the damaged ones included, are left to ImageIO.
 */
final class PngPixels {
  private static final int GREY = 0;
  private static final int RGB = 2;
  private static final int PALETTE = 3;
  private static final int GREY_ALPHA = 4;
  private static final int RGBA = 6;

  private static final int SIGNATURE = 8;
  private static final int HEADER = 13;
  private static final int FRAME = 12; // length, type and checksum of a chunk

  private final byte[] png;
  private final int height;
  private final int width;
  private final int colours;
  private final int bands;
  private byte[] palette = {};
  private byte[] packed = {};
  private int packedLength;

  private PngPixels(byte[] png, int height, int width, int colours) {
    this.png = png;
    this.height = height;
    this.width = width;
    this.colours = colours;
    bands =
        switch (colours) {
          case RGB -> 3;
          case RGBA -> 4;
          case GREY_ALPHA -> 2;
          default -> 1;
        };
  }

  /**
   * Decodes a picture.
   *
   * @param png a file that begins with PNG's signature
   * @param maxPixels the most a picture may have
   * @return 8-bit RGB, alpha dropped, grey repeated; empty if the picture is of another kind or not sound in every byte
   */
  static Optional<RgbImage> decode(byte[] png, long maxPixels) {
    if (png.length < SIGNATURE + FRAME + HEADER) {
      return Optional.empty();
    }
    ByteBuffer in = ByteBuffer.wrap(png);
    int width = in.getInt(16);
    int height = in.getInt(20);
    int colours = png[25];
    boolean usual =
        in.getInt(8) == HEADER
            && in.getInt(12) == type("IHDR")
            && width > 0
            && height > 0
            && (long) width * height <= maxPixels
            && png[24] == 8
            && (colours == GREY || colours == RGB || colours == PALETTE || colours == GREY_ALPHA || colours == RGBA)
            && png[26] == 0
            && png[27] == 0
            && png[28] == 0;
    return usual ? new PngPixels(png, height, width, colours).decode() : Optional.empty();
  }

  private Optional<RgbImage> decode() {
    if (!readChunks()) {
      return Optional.empty();
    }
    int row = bands * width;
    byte[] rows = new byte[(row + 1) * height];
    if (!inflate(rows)) {
      return Optional.empty();
    }
    for (int y = 0; y < height; y++) {
      if (!unfilter(rows, y * (row + 1), y == 0, row)) {
        return Optional.empty();
      }
    }
    return pixels(rows);
  }

  /** Gathers palette and packed pixels; false if a chunk is not whole or a checksum differs. */
  private boolean readChunks() {
    ByteBuffer in = ByteBuffer.wrap(png);
    int at = SIGNATURE;
    while (png.length - at >= FRAME) {
      int length = in.getInt(at);
      if (length < 0 || length > png.length - at - FRAME) {
        return false;
      }
      var crc = new CRC32();
      crc.update(png, at + 4, 4 + length);
      if ((int) crc.getValue() != in.getInt(at + 8 + length)) {
        return false;
      }
      int type = in.getInt(at + 4);
      if (type == type("IDAT")) {
        packed = Arrays.copyOf(packed, packedLength + length);
        System.arraycopy(png, at + 8, packed, packedLength, length);
        packedLength += length;
      } else if (type == type("PLTE")) {
        palette = Arrays.copyOfRange(png, at + 8, at + 8 + length);
      } else if (type == type("IEND")) {
        return packedLength > 0;
      }
      at += FRAME + length;
    }
    return false;
  }

  private boolean inflate(byte[] rows) {
    var inflater = new Inflater();
    try {
      inflater.setInput(packed, 0, packedLength);
      int done = 0;
      while (done < rows.length) {
        int more = inflater.inflate(rows, done, rows.length - done);
        if (more == 0) {
          return false;
        }
        done += more;
      }
      // the stream's own checksum stands behind the last row
      return inflater.inflate(new byte[1]) == 0 && inflater.finished();
    } catch (DataFormatException e) {
      return false;
    } finally {
      inflater.end();
    }
  }

  /** Undoes the filter of the row whose filter byte is at {@code at}, in place. */
  private boolean unfilter(byte[] rows, int at, boolean first, int row) {
    int begin = at + 1;
    int end = begin + row;
    int above = row + 1; // so far back lies the byte above
    switch (rows[at]) {
      case 0 -> {}
      case 1 -> {
        for (int i = begin + bands; i < end; i++) {
          rows[i] += rows[i - bands];
        }
      }
      case 2 -> {
        for (int i = begin; !first && i < end; i++) {
          rows[i] += rows[i - above];
        }
      }
      case 3 -> {
        for (int i = begin; i < end; i++) {
          int left = i - bands < begin ? 0 : rows[i - bands] & 0xff;
          int up = first ? 0 : rows[i - above] & 0xff;
          rows[i] += (byte) ((left + up) >> 1);
        }
      }
      case 4 -> {
        for (int i = begin; i < end; i++) {
          boolean edge = i - bands < begin;
          int left = edge ? 0 : rows[i - bands] & 0xff;
          int up = first ? 0 : rows[i - above] & 0xff;
          int corner = edge || first ? 0 : rows[i - above - bands] & 0xff;
          rows[i] += (byte) paeth(left, up, corner);
        }
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  /** The neighbour nearest to left + up - corner; PNG specification, 9.4. */
  private static int paeth(int left, int up, int corner) {
    int byLeft = Math.abs(up - corner);
    int byUp = Math.abs(left - corner);
    int byCorner = Math.abs(left + up - 2 * corner);
    if (byLeft <= byUp && byLeft <= byCorner) {
      return left;
    }
    return byUp <= byCorner ? up : corner;
  }

  /** From (height, 1 + width * bands), a filter byte before each row, to (height, width, 3). */
  private Optional<RgbImage> pixels(byte[] rows) {
    byte[] out = new byte[3 * height * width];
    int row = 3 * width;
    for (int y = 0, at = 1, to = 0; y < height; y++, at++) {
      if (colours == RGB) {
        System.arraycopy(rows, at, out, to, row);
        at += row;
        to += row;
        continue;
      }
      for (int x = 0; x < width; x++, at += bands) {
        byte[] from = rows;
        int first = at;
        if (colours == PALETTE) {
          from = palette;
          first = 3 * (rows[at] & 0xff);
          if (first + 3 > palette.length) {
            return Optional.empty();
          }
        }
        int step = bands >= 3 || colours == PALETTE ? 1 : 0;
        out[to++] = from[first];
        out[to++] = from[first + step];
        out[to++] = from[first + 2 * step];
      }
    }
    return Optional.of(new RgbImage(height, width, out));
  }

  private static int type(String name) {
    return name.charAt(0) << 24 | name.charAt(1) << 16 | name.charAt(2) << 8 | name.charAt(3);
  }
}
