// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.ffi.PackedPixels;
import dev.motley.ffi.PixelWriter;
import dev.motley.files.Sha256;
import dev.motley.image.Resize;
import dev.motley.image.RgbImage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Labelled pictures of one size, packed, in memory or in a mapped file. Sets that differ in labels or names only share their pixels:
 * closing one of them closes all.
 *
 * @param name where they come from, for messages and reports
 * @param height rows of each picture
 * @param width columns of each picture
 * @param pixels (count, height, width, 3) RGB bytes, 0..255 unsigned
 * @param labels (count) class indices; not copied, not to be changed
 * @param classNames names by class index
 */
public record ImageSet(
    String name, int height, int width, PackedPixels pixels, int[] labels, List<String> classNames) implements AutoCloseable {

  /**
   * Checks that sizes, labels and names fit together.
   *
   * @throws InvalidInputException if they do not
   */
  public ImageSet {
    classNames = List.copyOf(classNames);
    if (labels.length == 0) {
      throw new InvalidInputException(name + ": no images");
    }
    if (Math.min(height, width) < 1 || bytes(labels.length, height, width) != pixels.size()) {
      throw new InvalidInputException(
          name
              + ": "
              + labels.length
              + " images of "
              + width
              + "x"
              + height
              + " RGB pixels cannot have "
              + pixels.size()
              + " bytes");
    }
    if (new HashSet<>(classNames).size() != classNames.size()) {
      throw new InvalidInputException(name + ": a class name appears twice in " + classNames);
    }
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] < 0 || labels[i] >= classNames.size()) {
        throw new InvalidInputException(
            name
                + ": image "
                + i
                + " has label "
                + labels[i]
                + ", expected 0 to "
                + (classNames.size() - 1));
      }
    }
  }

  /**
   * The same of pixels in an array.
   *
   * @param pixels copied
   */
  public ImageSet(String name, int height, int width, byte[] pixels, int[] labels, List<String> classNames) {
    this(name, height, width, PackedPixels.of(pixels), labels, classNames);
  }

  /** Number of images. */
  public int count() {
    return labels.length;
  }

  /** A copy of one picture. */
  public RgbImage image(int index) {
    return new RgbImage(height, width, picture(index));
  }

  private byte[] picture(int index) {
    var picture = new byte[3 * height * width];
    pixels.read((long) index * picture.length, picture);
    return picture;
  }

  /** How many images each class has. */
  public int[] classCounts() {
    int[] counts = new int[classNames.size()];
    for (int label : labels) {
      counts[label]++;
    }
    return counts;
  }

  /** The same set with pictures of another size; itself if they have that size. */
  public ImageSet resized(int newHeight, int newWidth, Resize.Filter filter) {
    if (newHeight == height && newWidth == width) {
      return this;
    }
    Resize resize = new Resize(height, width, newHeight, newWidth, filter);
    PackedPixels other = packed(count(), newHeight, newWidth, i -> resize.apply(picture(i)));
    return new ImageSet(name, newHeight, newWidth, other, labels, classNames);
  }

  /**
   * Some of the images.
   *
   * @param indices which, in the order they are to have
   * @return a copy of them; the set itself where that is all of them as they are
   */
  public ImageSet subset(int[] indices) {
    if (Arrays.equals(indices, IntStream.range(0, count()).toArray())) {
      return this;
    }
    PackedPixels some = packed(indices.length, height, width, i -> picture(indices[i]));
    int[] classes = IntStream.of(indices).map(i -> labels[i]).toArray();
    return new ImageSet(name, height, width, some, classes, classNames);
  }

  /** Packs pictures that are made on all processors, as the pixels of this set are kept. */
  private PackedPixels packed(int count, int newHeight, int newWidth, IntFunction<byte[]> picture) {
    long each = bytes(1, newHeight, newWidth);
    try (var writer = new PixelWriter(name, pixels.storage(), count * each)) {
      IntStream.range(0, count).parallel().forEach(i -> writer.put(i * each, picture.apply(i)));
      return writer.finish();
    }
  }

  /**
   * The same pictures, labelled by the indices of another list of the same classes.
   *
   * @param names in the new label order
   * @param indices for each class of this set its index in {@code names}
   */
  public ImageSet relabelled(List<String> names, int[] indices) {
    return new ImageSet(
        name, height, width, pixels, Arrays.stream(labels).map(label -> indices[label]).toArray(), names);
  }

  /**
   * One set after the other.
   *
   * @param name of the whole
   * @param sets of one size and with the same class names in the same order, at least one
   * @return a copy of them; the first itself where it is the only one
   */
  static ImageSet concat(String name, List<ImageSet> sets) {
    ImageSet first = sets.getFirst();
    if (sets.size() == 1) {
      return first;
    }
    int count = Math.toIntExact(sets.stream().mapToLong(ImageSet::count).sum());
    long each = bytes(1, first.height, first.width);
    try (var writer = new PixelWriter(name, first.pixels.storage(), count * each)) {
      var labels = new int[count];
      int at = 0;
      for (ImageSet set : sets) {
        if (set.height != first.height || set.width != first.width || !set.classNames.equals(first.classNames)) {
          throw new IllegalArgumentException(set.name + " does not fit " + first.name);
        }
        for (int i = 0; i < set.count(); i++, at++) {
          writer.put(at * each, set.picture(i));
          labels[at] = set.labels[i];
        }
      }
      return new ImageSet(name, first.height, first.width, writer.finish(), labels, first.classNames);
    }
  }

  /** Closes a set that this was made of, unless the pixels are the same. */
  ImageSet insteadOf(ImageSet other) {
    if (other.pixels != pixels) {
      other.close();
    }
    return this;
  }

  /** SHA-256, in hexadecimal, over all but where the images come from. */
  public String sha256() {
    MessageDigest digest = Sha256.begin();
    for (String className : classNames) {
      byte[] utf8 = className.getBytes(StandardCharsets.UTF_8);
      digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(utf8.length).flip());
      digest.update(utf8);
    }
    ByteBuffer numbers = ByteBuffer.allocate(Integer.BYTES * (3 + labels.length));
    numbers.putInt(count()).putInt(height).putInt(width).asIntBuffer().put(labels);
    digest.update(numbers.array());
    pixels.digest(digest);
    return Sha256.hex(digest);
  }

  /** Bytes of a packed set. */
  static long bytes(long count, int height, int width) {
    return Math.multiplyExact(count, 3L * height * width);
  }

  /** Gives the space of the pixels back, see {@link PackedPixels#close}. */
  @Override
  public void close() {
    pixels.close();
  }
}
