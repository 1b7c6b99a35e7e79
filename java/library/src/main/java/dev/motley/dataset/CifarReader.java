// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.ffi.PixelStorage;
import dev.motley.ffi.PixelWriter;
import java.nio.file.Path;
import java.util.List;

/**
 * The binary versions of CIFAR-10 and CIFAR-100: records of one or two label bytes and 32x32
 * pixels, all red, then all green, then all blue.
 */
final class CifarReader {
  private static final int SIZE = 32;
  private static final int PLANE = SIZE * SIZE;
  private static final int PIXELS = 3 * PLANE;

  /** Both sets have 60,000 images in all. */
  private static final int MAX_RECORDS = 100_000;

  private CifarReader() {}

  /**
   * Reads files of records one after the other.
   *
   * @param labelBytes 1 (CIFAR-10) or 2 (CIFAR-100: coarse, then fine); the last one counts
   */
  static ImageSet read(String name, List<Path> files, int labelBytes, List<String> classNames, PixelStorage storage) {
    int record = labelBytes + PIXELS;
    // unpacking .xz takes seconds for each file
    List<byte[]> parts = files.parallelStream().map(file -> records(file, record, labelBytes, classNames.size())).toList();
    int count = parts.stream().mapToInt(part -> part.length / record).sum();
    int[] labels = new int[count];
    try (var writer = new PixelWriter(name, storage, (long) PIXELS * count)) {
      int image = 0;
      for (byte[] records : parts) {
        for (int from = labelBytes; from < records.length; from += record, image++) {
          labels[image] = records[from - 1] & 0xff;
          writer.put((long) PIXELS * image, interleaved(records, from));
        }
      }
      return new ImageSet(name, SIZE, SIZE, writer.finish(), labels, classNames);
    }
  }

  /** Three planes as pixels of three. */
  private static byte[] interleaved(byte[] records, int from) {
    var picture = new byte[PIXELS];
    int to = 0;
    for (int at = from; at < from + PLANE; at++) {
      picture[to++] = records[at];
      picture[to++] = records[at + PLANE];
      picture[to++] = records[at + 2 * PLANE];
    }
    return picture;
  }

  private static byte[] records(Path file, int record, int labelBytes, int classes) {
    byte[] bytes = PackedFiles.read(file, in -> in.readNBytes(record * MAX_RECORDS + 1));
    if (bytes.length == 0 || bytes.length % record != 0 || bytes.length > record * MAX_RECORDS) {
      throw new InvalidInputException(
          "%s: %d bytes are not 1 to %d records of %d bytes; truncated?"
              .formatted(file, bytes.length, MAX_RECORDS, record));
    }
    checkLabels(file, bytes, record, labelBytes, classes);
    return bytes;
  }

  private static void checkLabels(
      Path file, byte[] bytes, int record, int labelBytes, int classes) {
    for (int i = 0; i < bytes.length / record; i++) {
      int label = bytes[i * record + labelBytes - 1] & 0xff;
      if (label >= classes) {
        throw new InvalidInputException(
            file + ": record " + i + " has label " + label + ", expected 0 to " + (classes - 1));
      }
    }
  }
}
