// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.ffi.PixelStorage;
import dev.motley.ffi.PixelWriter;
import java.io.DataInputStream;
import java.io.EOFException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/**
 * IDX files, the format of MNIST and Fashion-MNIST: grey pictures and labels in two files. Pictures
 * smaller than 32x32 are centred on black of that size, and grey becomes three equal channels.
 */
final class IdxReader {
  /** Fashion-MNIST's classes in label order, as prompts name them. */
  static final List<String> FASHION_CLASSES =
      List.of(
          "t-shirt",
          "trouser",
          "pullover",
          "dress",
          "coat",
          "sandal",
          "shirt",
          "sneaker",
          "bag",
          "ankle boot");

  /** How names of images' files end, before {@code .gz} or {@code .xz}; before it, which part of a set they are. */
  static final String IMAGES = "-images-idx3-ubyte";

  /** As above, of the labels' files. */
  static final String LABELS = "-labels-idx1-ubyte";

  private static final Pattern IMAGES_FILE = Pattern.compile("(.+)" + IMAGES + "(\\.gz|\\.xz)?");
  private static final int SIZE = 32;
  private static final int UNSIGNED_BYTES = 0x08;

  /** Rows or columns of a picture, as the native core takes them. */
  private static final int MAX_SIDE = 1 << 14;

  private IdxReader() {}

  /** A block of bytes with its sizes, slowest first. */
  private record Block(int[] sizes, byte[] bytes) {}

  /** Whether a file's name says that it has images. */
  static boolean isImages(Path file) {
    return IMAGES_FILE.matcher(file.getFileName().toString()).matches();
  }

  /** The name of the labels that belong to a file of images, both packed or not. */
  static String labelsOf(Path images) {
    return IMAGES_FILE.matcher(images.getFileName().toString()).replaceFirst("$1" + LABELS);
  }

  static ImageSet read(String name, Path images, Path labels, List<String> classNames, PixelStorage storage) {
    Block pictures = block(images, 3);
    Block marks = block(labels, 1);
    int count = pictures.sizes()[0];
    if (marks.sizes()[0] != count) {
      throw new InvalidInputException(
          labels + ": " + marks.sizes()[0] + " labels, but " + count + " images in " + images);
    }
    int[] classes = new int[count];
    for (int i = 0; i < count; i++) {
      classes[i] = marks.bytes()[i] & 0xff;
      if (classes[i] >= classNames.size()) {
        throw new InvalidInputException(
            labels
                + ": label "
                + i
                + " is "
                + classes[i]
                + ", expected 0 to "
                + (classNames.size() - 1)
                + " ("
                + classNames.size()
                + " class names)");
      }
    }
    int rows = pictures.sizes()[1];
    int columns = pictures.sizes()[2];
    int height = Math.max(rows, SIZE);
    int width = Math.max(columns, SIZE);
    var picture = new byte[3 * height * width];
    try (var writer = new PixelWriter(name, storage, (long) picture.length * count)) {
      for (int i = 0; i < count; i++) {
        centre(pictures.bytes(), i * rows * columns, rows, columns, picture, width);
        writer.put((long) picture.length * i, picture);
      }
      return new ImageSet(name, height, width, writer.finish(), classes, classNames);
    }
  }

  /** Grey pixels from {@code from} on into the middle of a picture; what is around them stays as it is. */
  private static void centre(byte[] greys, int from, int rows, int columns, byte[] picture, int width) {
    int top = (picture.length / 3 / width - rows) / 2;
    int left = (width - columns) / 2;
    int at = from;
    for (int y = 0; y < rows; y++) {
      int to = 3 * ((top + y) * width + left);
      for (int x = 0; x < columns; x++, at++) {
        picture[to++] = greys[at];
        picture[to++] = greys[at];
        picture[to++] = greys[at];
      }
    }
  }

  private static Block block(Path file, int dimensions) {
    return PackedFiles.read(
        file,
        packed -> {
          var in = new DataInputStream(packed);
          int[] sizes = new int[dimensions];
          double total = 1;
          try {
            int magic = in.readInt();
            if (magic != (UNSIGNED_BYTES << 8 | dimensions)) {
              throw new InvalidInputException(
                  String.format(
                      "%s: wrong magic number 0x%08x, expected 0x%08x (IDX of bytes in %d"
                          + " dimensions)",
                      file, magic, UNSIGNED_BYTES << 8 | dimensions, dimensions));
            }
            for (int i = 0; i < dimensions; i++) {
              sizes[i] = in.readInt();
              total *= sizes[i];
              if (sizes[i] < 1 || total > Integer.MAX_VALUE - 16 || i > 0 && sizes[i] > MAX_SIDE) {
                throw new InvalidInputException(
                    file
                        + ": size "
                        + Integer.toUnsignedString(sizes[i])
                        + " of dimension "
                        + i
                        + " is out of range");
              }
            }
          } catch (EOFException e) {
            throw new InvalidInputException(file + ": truncated in its header", e);
          }
          return new Block(sizes, PackedFiles.readExactly(file, in, (int) total));
        });
  }
}
