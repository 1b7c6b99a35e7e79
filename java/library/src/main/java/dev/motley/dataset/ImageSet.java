// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.files.Sha256;
import dev.motley.image.Resize;
import dev.motley.image.RgbImage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;

/**
 * Labelled pictures of one size, packed.
 *
 * @param name where they come from, for messages and reports
 * @param height rows of each picture
 * @param width columns of each picture
 * @param pixels (count, height, width, 3) RGB bytes, 0..255 unsigned; not copied, not to be changed
 * @param labels (count) class indices; not copied, not to be changed
 * @param classNames names by class index
 */
public record ImageSet(
    String name, int height, int width, byte[] pixels, int[] labels, List<String> classNames) {

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
    if (height < 1 || width < 1 || bytes(name, labels.length, height, width) != pixels.length) {
      throw new InvalidInputException(
          name
              + ": "
              + labels.length
              + " images of "
              + width
              + "x"
              + height
              + " RGB pixels cannot have "
              + pixels.length
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

  /** Number of images. */
  public int count() {
    return labels.length;
  }

  /** A copy of one picture. */
  public RgbImage image(int index) {
    int bytes = 3 * height * width;
    return new RgbImage(
        height, width, Arrays.copyOfRange(pixels, index * bytes, (index + 1) * bytes));
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
    bytes(name, labels.length, newHeight, newWidth);
    Resize resize = new Resize(height, width, newHeight, newWidth, filter);
    return new ImageSet(
        name, newHeight, newWidth, resize.applyAll(pixels, labels.length), labels, classNames);
  }

  /**
   * Some of the images.
   *
   * @param indices which, in the order they are to have
   * @return a copy of them; the set itself where that is all of them as they are
   */
  public ImageSet subset(int[] indices) {
    boolean all = indices.length == labels.length;
    for (int i = 0; all && i < indices.length; i++) {
      all = indices[i] == i;
    }
    if (all) {
      return this;
    }
    int bytes = 3 * height * width;
    var some = new byte[indices.length * bytes];
    var classes = new int[indices.length];
    for (int i = 0; i < indices.length; i++) {
      System.arraycopy(pixels, indices[i] * bytes, some, i * bytes, bytes);
      classes[i] = labels[indices[i]];
    }
    return new ImageSet(name, height, width, some, classes, classNames);
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
   */
  public static ImageSet concat(String name, List<ImageSet> sets) {
    ImageSet first = sets.getFirst();
    if (sets.size() == 1) {
      return first;
    }
    long count = sets.stream().mapToLong(ImageSet::count).sum();
    var pixels = new byte[bytes(name, count, first.height, first.width)];
    var labels = new int[(int) count];
    int at = 0;
    for (ImageSet set : sets) {
      if (set.height != first.height || set.width != first.width || !set.classNames.equals(first.classNames)) {
        throw new IllegalArgumentException(set.name + " does not fit " + first.name);
      }
      System.arraycopy(set.pixels, 0, pixels, at * 3 * first.height * first.width, set.pixels.length);
      System.arraycopy(set.labels, 0, labels, at, set.labels.length);
      at += set.count();
    }
    return new ImageSet(name, first.height, first.width, pixels, labels, first.classNames);
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
    digest.update(pixels);
    return Sha256.hex(digest);
  }

  /**
   * Bytes of a packed set.
   *
   * @throws InvalidInputException if an array cannot hold them
   */
  static int bytes(String name, long count, long height, long width) {
    double exact = 3.0 * count * height * width;
    if (exact > Integer.MAX_VALUE - 16) {
      throw new InvalidInputException(
          String.format(
              "%s: %d images of %dx%d need %.1f GiB in one piece, at most 2 are supported",
              name, count, width, height, exact / (1 << 30)));
    }
    return (int) exact;
  }
}
