// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.image.PictureReader;
import dev.motley.image.RgbImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.zip.ZipException;

/**
 * Decodes pictures on all processors and packs them in the order they were given. A few that cannot be read are left out and
 * counted; where they are more than 1 % the set is taken to be damaged.
 */
final class PicturePacker {
  /** Share of unreadable pictures from which the set is taken to be damaged. */
  private static final double MAX_UNREADABLE = 0.01;

  static final int MAX_FILE_BYTES = 1 << 28;

  /** Pictures decoded together: some for each processor, and their files not too much to hold. */
  private static final int TOGETHER = 512;

  private static final System.Logger LOG = System.getLogger(PicturePacker.class.getName());

  /** Gives a picture's file. */
  @FunctionalInterface
  interface Body {
    /**
     * @throws InvalidInputException if this picture cannot be read, which is left out then
     * @throws ZipException as above
     * @throws IOException if nothing more can be read
     */
    byte[] read() throws IOException;
  }

  /**
   * A picture still to be decoded.
   *
   * @param name what messages call it
   * @param label what becomes its class, see {@link #pack}
   * @param body its file
   */
  record Encoded(String name, String label, Body body) {}

  /** A picture, or why it is none. */
  private record Decoded(RgbImage image, String fault) {
    static final RgbImage NONE = new RgbImage(1, 1, new byte[3]);
  }

  private final String source;
  private final RealData.Options options;
  private final List<Encoded> waiting = new ArrayList<>();
  private final List<RgbImage> images = new ArrayList<>();
  private final List<String> labels = new ArrayList<>();
  private int total;
  private int unreadable;
  private String firstFault = "";

  /** @param source what messages call the whole */
  PicturePacker(String source, RealData.Options options) {
    this.source = source;
    this.options = options;
  }

  /** What messages call the whole. */
  String source() {
    return source;
  }

  void add(Encoded picture) throws IOException {
    waiting.add(picture);
    if (waiting.size() == TOGETHER) {
      decodeWaiting();
    }
  }

  /** Counts a picture that cannot even be handed over. */
  void addUnreadable(String fault) {
    total++;
    unreadable++;
    firstFault = firstFault.isEmpty() ? fault : firstFault;
    LOG.log(System.Logger.Level.WARNING, "left out: {0}", fault);
  }

  private void decodeWaiting() throws IOException {
    List<Decoded> decoded;
    try {
      decoded = IntStream.range(0, waiting.size()).parallel().mapToObj(i -> decode(waiting.get(i))).toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    for (int i = 0; i < decoded.size(); i++) {
      if (decoded.get(i).fault.isEmpty()) {
        keep(waiting.get(i), decoded.get(i).image);
      } else {
        addUnreadable(decoded.get(i).fault);
      }
    }
    waiting.clear();
  }

  private Decoded decode(Encoded picture) {
    try {
      RgbImage image = PictureReader.decode(picture.name, picture.body.read());
      int size = options.size();
      return new Decoded(size > 0 ? image.resized(size, size, options.filter()) : image, "");
    } catch (InvalidInputException e) {
      return new Decoded(Decoded.NONE, e.getMessage());
    } catch (ZipException e) {
      return new Decoded(Decoded.NONE, picture.name + ": damaged in its archive: " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void keep(Encoded picture, RgbImage image) {
    total++;
    if (!images.isEmpty()) {
      RgbImage first = images.getFirst();
      if (image.height() != first.height() || image.width() != first.width()) {
        throw new InvalidInputException(
            "%s: %dx%d pixels, but the pictures before have %dx%d; give a size to resize all to"
                .formatted(picture.name, image.width(), image.height(), first.width(), first.height()));
      }
    }
    ImageSet.bytes(source, images.size() + 1L, image.height(), image.width());
    images.add(image);
    labels.add(picture.label);
  }

  /** The labels as given, of the pictures that could be read so far, once all that wait are decoded. */
  List<String> labels() throws IOException {
    decodeWaiting();
    return labels;
  }

  int unreadable() {
    return unreadable;
  }

  /**
   * The set.
   *
   * @param name of the set
   * @param classNames in label order
   * @param labelOf what a picture was labelled with to the index of its class
   * @throws InvalidInputException if too many pictures could not be read, or none is there
   */
  ImageSet pack(String name, List<String> classNames, Function<String, Integer> labelOf) throws IOException {
    decodeWaiting();
    if (unreadable > MAX_UNREADABLE * total) {
      throw new InvalidInputException(
          "%s: %,d of %,d pictures cannot be read, first: %s".formatted(source, unreadable, total, firstFault));
    }
    if (images.isEmpty()) {
      throw new InvalidInputException(source + ": no pictures");
    }
    int height = images.getFirst().height();
    int width = images.getFirst().width();
    int bytes = 3 * height * width;
    byte[] pixels = new byte[ImageSet.bytes(source, images.size(), height, width)];
    for (int i = 0; i < images.size(); i++) {
      System.arraycopy(images.get(i).pixels(), 0, pixels, i * bytes, bytes);
    }
    images.clear();
    int[] classOf = labels.stream().mapToInt(labelOf::apply).toArray();
    return new ImageSet(name, height, width, pixels, classOf, classNames);
  }
}
