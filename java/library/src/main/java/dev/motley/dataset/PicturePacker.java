// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.ffi.PixelWriter;
import dev.motley.image.PictureReader;
import dev.motley.image.RgbImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.zip.ZipException;

/**
 * Decodes pictures on all processors and packs them in the order they were given. A few that cannot be read are left out and
 * counted; where they are more than 1 % the set is taken to be damaged.
 */
final class PicturePacker implements AutoCloseable {
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
  private final List<String> labels = new ArrayList<>();
  private final int expected;
  private Optional<PixelWriter> pixels = Optional.empty();

  /** Of every picture; 0 before the first. */
  private int height;

  private int width;
  private int total;
  private int unreadable;
  private String firstFault = "";

  /**
   * @param source what messages call the whole
   * @param expected how many pictures will come; 1 where that is not known
   */
  PicturePacker(String source, RealData.Options options, int expected) {
    this.source = source;
    this.options = options;
    this.expected = expected;
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
    requireOneSize(decoded);
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

  /** Before any of them is kept: where the sizes differ, the first one's times the pictures says nothing of the space that is needed. */
  private void requireOneSize(List<Decoded> decoded) {
    for (int i = 0; i < decoded.size(); i++) {
      RgbImage image = decoded.get(i).image;
      if (!decoded.get(i).fault.isEmpty()) {
        continue;
      }
      if (height == 0) {
        height = image.height();
        width = image.width();
      }
      if (image.height() != height || image.width() != width) {
        throw new InvalidInputException(
            "%s: %dx%d pixels, but the pictures before have %dx%d; give a size to resize all to"
                .formatted(waiting.get(i).name, image.width(), image.height(), width, height));
      }
    }
  }

  private void keep(Encoded picture, RgbImage image) {
    total++;
    if (pixels.isEmpty()) {
      pixels = Optional.of(new PixelWriter(source, options.storage(), ImageSet.bytes(expected, height, width)));
    }
    pixels.get().put(ImageSet.bytes(labels.size(), height, width), image.pixels());
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
    PixelWriter all = pixels.orElseThrow(() -> new InvalidInputException(source + ": no pictures"));
    int[] classOf = labels.stream().mapToInt(labelOf::apply).toArray();
    return new ImageSet(name, height, width, all.finish(), classOf, classNames);
  }

  /** Gives up pictures that were not packed. */
  @Override
  public void close() {
    pixels.ifPresent(PixelWriter::close);
  }
}
