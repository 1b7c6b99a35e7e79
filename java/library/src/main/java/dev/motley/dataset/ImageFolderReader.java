// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.files.FileFailure;
import dev.motley.image.PictureReader;
import dev.motley.image.RgbImage;
import java.io.ByteArrayOutputStream;
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
 * A folder per class with PNG or JPEG pictures in it, as torchvision's ImageFolder reads it:
 * classes are the folder names in code point order. A few unreadable pictures are left out and
 * counted.
 */
final class ImageFolderReader {
  /** Share of unreadable pictures from which the set is taken to be damaged. */
  private static final double MAX_UNREADABLE = 0.01;

  private static final long MAX_FILE_BYTES = 1L << 28;

  private static final List<String> ENDINGS = List.of(".png", ".jpg", ".jpeg");
  private static final System.Logger LOG = System.getLogger(ImageFolderReader.class.getName());

  private final Path root;
  private final RealData.Options options;
  private final ByteArrayOutputStream pixels = new ByteArrayOutputStream();
  private final List<Integer> labels = new ArrayList<>();
  private final List<String> unreadable = new ArrayList<>();
  private int height;
  private int width;

  private ImageFolderReader(Path root, RealData.Options options) {
    this.root = root;
    this.options = options;
  }

  static RealData read(String name, Path folder, RealData.Options options) {
    try {
      return new ImageFolderReader(classRoot(folder), options).read(name);
    } catch (IOException e) {
      throw FileFailure.readingIn(folder, e);
    } catch (UncheckedIOException e) {
      throw FileFailure.readingIn(folder, e.getCause());
    }
  }

  private RealData read(String name) throws IOException {
    List<Path> classes = folders(root);
    if (classes.isEmpty()) {
      throw new InvalidInputException(
          root + ": no class folders, expected one folder of pictures for each class");
    }
    int total = 0;
    for (int label = 0; label < classes.size(); label++) {
      List<Path> pictures = pictures(classes.get(label));
      if (pictures.isEmpty()) {
        throw new InvalidInputException(
            classes.get(label) + ": no pictures (" + String.join(", ", ENDINGS) + ")");
      }
      total += pictures.size();
      for (Path picture : pictures) {
        add(picture, label);
      }
    }
    if (unreadable.size() > MAX_UNREADABLE * total) {
      throw new InvalidInputException(
          root
              + ": "
              + unreadable.size()
              + " of "
              + total
              + " pictures cannot be read, first: "
              + unreadable.get(0));
    }
    int[] classOf = labels.stream().mapToInt(Integer::intValue).toArray();
    List<String> names = classes.stream().map(ImageFolderReader::name).toList();
    ImageSet images = new ImageSet(name, height, width, pixels.toByteArray(), classOf, names);
    return new RealData(images, "image folder", unreadable.size());
  }

  private void add(Path picture, int label) throws IOException {
    RgbImage image;
    try {
      if (Files.size(picture) > MAX_FILE_BYTES) {
        throw new InvalidInputException(picture + ": larger than " + MAX_FILE_BYTES + " bytes");
      }
      image = PictureReader.decode(picture.toString(), Files.readAllBytes(picture));
    } catch (InvalidInputException e) {
      LOG.log(System.Logger.Level.WARNING, "left out: {0}", e.getMessage());
      unreadable.add(e.getMessage());
      return;
    }
    if (options.size() > 0) {
      image = image.resized(options.size(), options.size(), options.filter());
    }
    if (labels.isEmpty()) {
      height = image.height();
      width = image.width();
    } else if (image.height() != height || image.width() != width) {
      throw new InvalidInputException(
          picture
              + ": "
              + image.width()
              + "x"
              + image.height()
              + " pixels, but the pictures before"
              + " have "
              + width
              + "x"
              + height
              + "; give a size to resize all to");
    }
    ImageSet.bytes(root.toString(), labels.size() + 1L, height, width);
    pixels.writeBytes(image.pixels());
    labels.add(label);
  }

  /** Steps down through folders that only hold one folder of folders, as archives often have. */
  private static Path classRoot(Path folder) throws IOException {
    Path at = folder;
    while (true) {
      List<Path> inside = folders(at);
      if (inside.size() != 1 || folders(inside.get(0)).isEmpty()) {
        return at;
      }
      at = inside.get(0);
    }
  }

  private static List<Path> folders(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(Files::isDirectory)
          .filter(entry -> !name(entry).startsWith(".") && !name(entry).startsWith("__"))
          .sorted((a, b) -> name(a).compareTo(name(b)))
          .toList();
    }
  }

  private static List<Path> pictures(Path folder) throws IOException {
    try (Stream<Path> entries = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
      return entries
          .filter(Files::isRegularFile)
          .filter(file -> ENDINGS.stream().anyMatch(name(file).toLowerCase(Locale.ROOT)::endsWith))
          .sorted((a, b) -> a.toString().compareTo(b.toString()))
          .toList();
    }
  }

  /** A file's own name; folders inside archives end in a slash there. */
  private static String name(Path path) {
    String name = path.getFileName().toString();
    return name.endsWith("/") ? name.substring(0, name.length() - 1) : name;
  }
}
