// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import java.io.ByteArrayOutputStream;
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
  static ImageSet read(String name, List<Path> files, int labelBytes, List<String> classNames) {
    int record = labelBytes + PIXELS;
    var all = new ByteArrayOutputStream();
    for (Path file : files) {
      byte[] bytes = PackedFiles.read(file, in -> in.readNBytes(record * MAX_RECORDS + 1));
      if (bytes.length == 0 || bytes.length % record != 0 || bytes.length > record * MAX_RECORDS) {
        throw new InvalidInputException(
            file
                + ": "
                + bytes.length
                + " bytes are not 1 to "
                + MAX_RECORDS
                + " records of "
                + record
                + " bytes; truncated?");
      }
      checkLabels(file, bytes, record, labelBytes, classNames.size());
      all.writeBytes(bytes);
    }
    byte[] records = all.toByteArray();
    int count = records.length / record;
    byte[] pixels = new byte[ImageSet.bytes(name, count, SIZE, SIZE)];
    int[] labels = new int[count];
    for (int i = 0, to = 0; i < count; i++) {
      int from = i * record + labelBytes;
      labels[i] = records[from - 1] & 0xff;
      for (int at = from; at < from + PLANE; at++) {
        pixels[to++] = records[at];
        pixels[to++] = records[at + PLANE];
        pixels[to++] = records[at + 2 * PLANE];
      }
    }
    return new ImageSet(name, SIZE, SIZE, pixels, labels, classNames);
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
