// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
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
import java.util.stream.Stream;

/**
 * Pictures without labels, as {@code predict} takes them.
 *
 * @param files names relative to the folder, sorted, one per picture
 * @param size width and height of all pictures, in pixels
 * @param pictures in the order of the files
 * @param unreadable names of files that are no readable pictures
 */
public record PictureFolder(List<String> files, int size, List<RgbImage> pictures, List<String> unreadable) {
  private static final List<String> ENDINGS = List.of(".png", ".jpg", ".jpeg", ".bmp", ".gif");

  public PictureFolder {
    files = List.copyOf(files);
    pictures = List.copyOf(pictures);
    unreadable = List.copyOf(unreadable);
  }

  /**
   * Reads all pictures below a folder, or a single one.
   *
   * @param size to resize to, anti-aliased
   * @throws InvalidInputException if there is nothing by that name
   */
  public static PictureFolder read(Path folder, int size) {
    if (Files.isRegularFile(folder)) {
      return read(folder.toAbsolutePath().getParent(), List.of(folder.toAbsolutePath()), size);
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
    return read(folder, found, size);
  }

  private static PictureFolder read(Path folder, List<Path> found, int size) {
    var files = new ArrayList<String>();
    var pictures = new ArrayList<RgbImage>();
    var unreadable = new ArrayList<String>();
    for (Path file : found) {
      String name = folder.relativize(file).toString();
      try {
        RgbImage image = PictureReader.decode(name, Files.readAllBytes(file));
        pictures.add(image.resized(size, size, Resize.Filter.BILINEAR_AA));
        files.add(name);
      } catch (InvalidInputException | IOException e) {
        unreadable.add(name);
      }
    }
    return new PictureFolder(files, size, pictures, unreadable);
  }

  /** The pictures packed, all labelled 0. */
  public ImageSet images(List<String> classNames) {
    byte[] pixels = new byte[Math.multiplyExact(pictures.size(), 3 * size * size)];
    for (int i = 0; i < pictures.size(); i++) {
      System.arraycopy(pictures.get(i).pixels(), 0, pixels, i * 3 * size * size, 3 * size * size);
    }
    return new ImageSet("pictures", size, size, pixels, new int[pictures.size()], classNames);
  }

  private static boolean isPicture(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return ENDINGS.stream().anyMatch(name::endsWith);
  }
}
