// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.ffi.PackedPixels;
import dev.motley.ffi.PixelStorage;
import dev.motley.ffi.PixelWriter;
import dev.motley.files.FileFailure;
import dev.motley.image.PictureReader;
import dev.motley.image.Resize;
import dev.motley.image.RgbImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Pictures without labels, as {@code predict} takes them.
 *
 * @param files names relative to the folder, sorted, one per picture
 * @param size width and height of all pictures, in pixels
 * @param pixels (files, size, size, 3) RGB bytes
 * @param unreadable names of files that are no readable pictures
 */
public record PictureFolder(List<String> files, int size, PackedPixels pixels, List<String> unreadable)
    implements AutoCloseable {
  private static final List<String> ENDINGS = List.of(".png", ".jpg", ".jpeg", ".bmp", ".gif");

  /** Pictures decoded together: some for each processor. */
  private static final int TOGETHER = 512;

  /** Copies the lists. */
  public PictureFolder {
    files = List.copyOf(files);
    unreadable = List.copyOf(unreadable);
  }

  /**
   * Reads all pictures below a folder, or a single one.
   *
   * @param size to resize to, anti-aliased
   * @param storage where the pixels are kept
   * @throws InvalidInputException if there is nothing by that name
   */
  public static PictureFolder read(Path folder, int size, PixelStorage storage) {
    if (Files.isRegularFile(folder)) {
      return read(folder.toAbsolutePath().getParent(), List.of(folder.toAbsolutePath()), size, storage);
    }
    if (!Files.isDirectory(folder)) {
      throw new InvalidInputException(folder + ": no such folder or picture");
    }
    List<Path> found;
    try (Stream<Path> all = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
      found = all.filter(Files::isRegularFile).filter(PictureFolder::isPicture).sorted().toList();
    } catch (IOException e) {
      throw FileFailure.readingIn(folder, e);
    } catch (UncheckedIOException e) {
      throw FileFailure.readingIn(folder, e.getCause());
    }
    return read(folder, found, size, storage);
  }

  private static PictureFolder read(Path folder, List<Path> found, int size, PixelStorage storage) {
    var files = new ArrayList<String>();
    var unreadable = new ArrayList<String>();
    try (var pixels = new PixelWriter(folder.toString(), storage, ImageSet.bytes(found.size(), size, size))) {
      for (int from = 0; from < found.size(); from += TOGETHER) {
        List<Path> some = found.subList(from, Math.min(from + TOGETHER, found.size()));
        List<Optional<RgbImage>> decoded = some.parallelStream().map(file -> decode(file, size)).toList();
        for (int i = 0; i < some.size(); i++) {
          String name = folder.relativize(some.get(i)).toString();
          if (decoded.get(i).isPresent()) {
            pixels.put(ImageSet.bytes(files.size(), size, size), decoded.get(i).get().pixels());
            files.add(name);
          } else {
            unreadable.add(name);
          }
        }
      }
      return new PictureFolder(files, size, pixels.finish(), unreadable);
    }
  }

  private static Optional<RgbImage> decode(Path file, int size) {
    try {
      RgbImage image = PictureReader.decode(file.toString(), Files.readAllBytes(file));
      return Optional.of(image.resized(size, size, Resize.Filter.BILINEAR_AA));
    } catch (InvalidInputException | IOException e) {
      return Optional.empty();
    }
  }

  /** The pictures, all labelled 0; at least one must have been read. */
  public ImageSet images(List<String> classNames) {
    return new ImageSet("pictures", size, size, pixels, new int[files.size()], classNames);
  }

  /** Gives the space of the pixels back; those of {@link #images} are the same. */
  @Override
  public void close() {
    pixels.close();
  }

  private static boolean isPicture(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return ENDINGS.stream().anyMatch(name::endsWith);
  }
}
