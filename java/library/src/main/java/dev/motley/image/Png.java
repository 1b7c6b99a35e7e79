// SPDX-License-Identifier: Apache-2.0
package dev.motley.image;

import dev.motley.InvalidInputException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * PNG pictures with text chunks. The same picture and texts always give the same bytes, on any JDK
 * that carries the same zlib; the pixels are the same on all.
 */
public final class Png {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

  /** zlib's default; higher levels gain 1 % and take twice the time. */
  private static final int LEVEL = 6;

  private static final int CHANNELS = 3;
  private static final int LONGEST_KEYWORD = 79;

  /** Most bytes that the compressed texts of a picture may unpack to, all together. */
  private static final int MAX_TEXT = 1 << 20;

  private Png() {}

  /**
   * Encodes an 8-bit RGB picture.
   *
   * @param texts keyword (1 to 79 Latin-1 characters) to text, written in this order: Latin-1 texts
   *     as tEXt, others as iTXt in UTF-8
   * @throws InvalidInputException if a keyword or text cannot be written
   */
  public static byte[] encode(RgbImage image, Map<String, String> texts) {
    var out = new ByteArrayOutputStream();
    out.writeBytes(SIGNATURE);
    ByteBuffer header = ByteBuffer.allocate(13).putInt(image.width()).putInt(image.height());
    // 8 bits, colour type RGB, deflate, adaptive filters, not interlaced.
    header.put(new byte[] {8, 2, 0, 0, 0});
    chunk(out, "IHDR", header.array());
    texts.forEach((keyword, text) -> textChunk(out, keyword, text));
    chunk(out, "IDAT", deflate(filter(image)));
    chunk(out, "IEND", new byte[0]);
    return out.toByteArray();
  }

  /**
   * Decodes a picture of any PNG kind to 8-bit RGB; an alpha channel is dropped, not blended.
   *
   * @throws InvalidInputException if it cannot be decoded
   */
  public static RgbImage decode(String name, byte[] png) {
    if (!isPng(png)) {
      throw new InvalidInputException(name + ": not a PNG picture");
    }
    return PictureReader.decode(name, png);
  }

  /**
   * The texts of tEXt, zTXt and iTXt chunks by keyword, in file order.
   *
   * @throws InvalidInputException if the chunks are damaged
   */
  public static Map<String, String> texts(String name, byte[] png) {
    if (!isPng(png)) {
      throw new InvalidInputException(name + ": not a PNG picture");
    }
    var texts = new Texts(name);
    ByteBuffer in = ByteBuffer.wrap(png).position(SIGNATURE.length);
    String type = "";
    while (!type.equals("IEND")) {
      if (in.remaining() < 12) {
        throw new InvalidInputException(name + ": PNG ends before its IEND chunk");
      }
      int length = in.getInt();
      if (length < 0 || length > in.remaining() - 8) {
        throw new InvalidInputException(name + ": PNG chunk reaches past the end of the file");
      }
      byte[] body = new byte[4 + length];
      in.get(body);
      type = new String(body, 0, 4, StandardCharsets.ISO_8859_1);
      if (in.getInt() != crc(body)) {
        throw new InvalidInputException(name + ": PNG chunk " + shown(type, body) + " has a wrong checksum");
      }
      byte[] data = Arrays.copyOfRange(body, 4, body.length);
      switch (type) {
        case "tEXt" -> texts.plain(data);
        case "zTXt" -> texts.compressed(data);
        case "iTXt" -> texts.international(data);
        default -> {} // pixels and chunks of no interest here
      }
    }
    return texts.found;
  }

  /** A chunk's type, with the keyword where it is a text. */
  private static String shown(String type, byte[] body) {
    int end = 4;
    while (end < body.length && end - 4 < LONGEST_KEYWORD && body[end] >= 32) {
      end++;
    }
    String keyword = type.endsWith("Xt") && end > 4 ? " '" + latin(body, 4, end) + "'" : "";
    return type.replaceAll("[^A-Za-z]", "?") + keyword;
  }

  static boolean isPng(byte[] bytes) {
    return bytes.length >= SIGNATURE.length
        && Arrays.equals(bytes, 0, SIGNATURE.length, SIGNATURE, 0, SIGNATURE.length);
  }

  private static void textChunk(ByteArrayOutputStream out, String keyword, String text) {
    if (keyword.isEmpty()
        || keyword.length() > LONGEST_KEYWORD
        || keyword.chars().anyMatch(c -> c < 32 || c > 126)
        || text.indexOf('\0') >= 0) {
      throw new InvalidInputException(
          "PNG text \""
              + keyword.replaceAll("\\p{Cntrl}", "?")
              + "\": a keyword has 1 to 79 plain characters and a text no NUL");
    }
    var data = new ByteArrayOutputStream();
    data.writeBytes(keyword.getBytes(StandardCharsets.ISO_8859_1));
    data.write(0);
    boolean latin = StandardCharsets.ISO_8859_1.newEncoder().canEncode(text);
    if (!latin) {
      data.writeBytes(new byte[4]); // not compressed, method 0, no language, no translated keyword
    }
    Charset charset = latin ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8;
    data.writeBytes(text.getBytes(charset));
    chunk(out, latin ? "tEXt" : "iTXt", data.toByteArray());
  }

  private static void chunk(ByteArrayOutputStream out, String type, byte[] data) {
    byte[] body =
        ByteBuffer.allocate(4 + data.length)
            .put(type.getBytes(StandardCharsets.ISO_8859_1))
            .put(data)
            .array();
    out.writeBytes(ByteBuffer.allocate(4).putInt(data.length).array());
    out.writeBytes(body);
    out.writeBytes(ByteBuffer.allocate(4).putInt(crc(body)).array());
  }

  private static int crc(byte[] body) {
    var crc = new CRC32();
    crc.update(body);
    return (int) crc.getValue();
  }

  private static byte[] deflate(byte[] data) {
    try (var deflater = new Deflater(LEVEL)) {
      deflater.setInput(data);
      deflater.finish();
      var out = new ByteArrayOutputStream(data.length / 2 + 64);
      byte[] buffer = new byte[1 << 16];
      while (!deflater.finished()) {
        out.write(buffer, 0, deflater.deflate(buffer));
      }
      return out.toByteArray();
    }
  }

  /** Each row by the filter with the least sum of magnitudes, the heuristic of the PNG standard. */
  private static byte[] filter(RgbImage image) {
    int stride = CHANNELS * image.width();
    byte[] out = new byte[image.height() * (stride + 1)];
    byte[] candidate = new byte[stride];
    for (int y = 0; y < image.height(); y++) {
      long least = Long.MAX_VALUE;
      for (int kind = 0; kind < 5; kind++) {
        long magnitude = filterRow(image.pixels(), y, stride, kind, candidate);
        if (magnitude < least) {
          least = magnitude;
          out[y * (stride + 1)] = (byte) kind;
          System.arraycopy(candidate, 0, out, y * (stride + 1) + 1, stride);
        }
      }
    }
    return out;
  }

  private static long filterRow(byte[] pixels, int y, int stride, int kind, byte[] out) {
    long magnitude = 0;
    for (int i = 0; i < stride; i++) {
      int at = y * stride + i;
      int left = i >= CHANNELS ? pixels[at - CHANNELS] & 0xff : 0;
      int up = y > 0 ? pixels[at - stride] & 0xff : 0;
      int corner = i >= CHANNELS && y > 0 ? pixels[at - stride - CHANNELS] & 0xff : 0;
      int predicted =
          switch (kind) {
            case 0 -> 0;
            case 1 -> left;
            case 2 -> up;
            case 3 -> (left + up) / 2;
            default -> paeth(left, up, corner);
          };
      out[i] = (byte) (pixels[at] - predicted);
      magnitude += Math.abs(out[i]);
    }
    return magnitude;
  }

  private static int paeth(int left, int up, int corner) {
    int toLeft = Math.abs(up - corner);
    int toUp = Math.abs(left - corner);
    int toCorner = Math.abs(left + up - 2 * corner);
    if (toLeft <= toUp && toLeft <= toCorner) {
      return left;
    }
    return toUp <= toCorner ? up : corner;
  }

  private static String latin(byte[] data, int from, int to) {
    return new String(data, from, to - from, StandardCharsets.ISO_8859_1);
  }

  /** The texts of one picture. */
  private static final class Texts {
    private final String name;
    private final Map<String, String> found = new LinkedHashMap<>();

    /** Bytes unpacked so far. */
    private int unpacked;

    Texts(String name) {
      this.name = name;
    }

    void plain(byte[] data) {
      int end = terminator(data, 0);
      found.put(latin(data, 0, end), latin(data, end + 1, data.length));
    }

    void compressed(byte[] data) {
      int end = terminator(data, 0);
      byte[] text = inflate(data, end + 2);
      found.put(latin(data, 0, end), latin(text, 0, text.length));
    }

    void international(byte[] data) {
      int end = terminator(data, 0);
      int language = terminator(data, end + 3);
      int translated = terminator(data, language + 1);
      byte[] text =
          data[end + 1] == 1
              ? inflate(data, translated + 1)
              : Arrays.copyOfRange(data, translated + 1, data.length);
      found.put(latin(data, 0, end), new String(text, StandardCharsets.UTF_8));
    }

    private int terminator(byte[] data, int from) {
      for (int i = from; i < data.length; i++) {
        if (data[i] == 0) {
          return i;
        }
      }
      throw new InvalidInputException(name + ": PNG text chunk without end of keyword");
    }

    private byte[] inflate(byte[] data, int from) {
      var text = new ByteArrayOutputStream();
      byte[] buffer = new byte[1 << 12];
      try (var inflater = new Inflater()) {
        inflater.setInput(data, Math.min(from, data.length), Math.max(data.length - from, 0));
        while (!inflater.finished()) {
          int length = inflater.inflate(buffer);
          unpacked += length;
          if ((length == 0 && !inflater.finished()) || unpacked > MAX_TEXT) {
            throw new InvalidInputException(
                name + ": PNG text chunk is cut short, or the picture's texts unpack to more than " + MAX_TEXT + " bytes");
          }
          text.write(buffer, 0, length);
        }
        return text.toByteArray();
      } catch (DataFormatException e) {
        throw new InvalidInputException(name + ": PNG text chunk is damaged", e);
      }
    }
  }
}
