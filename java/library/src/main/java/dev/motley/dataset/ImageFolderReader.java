// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipException;

/**
 * A folder per class with PNG or JPEG pictures in it, as torchvision's ImageFolder reads it:
 * classes are the folder names in code point order. A few unreadable pictures are left out and
 * counted.
 */
final class ImageFolderReader {
  static final List<String> ENDINGS = List.of(".png", ".jpg", ".jpeg");

  private static final String TRAIN = "train";

  /** What else the parts are called; the first that is there is tested on. */
  private static final List<String> TESTS = List.of("test", "val", "valid", "validation");

  private static final List<String> PARTS = Stream.concat(Stream.of(TRAIN), TESTS.stream()).toList();

  private ImageFolderReader() {}

  static RealData read(String name, Path folder, RealData.Options options) {
    try {
      Path root = classRoot(folder);
      Optional<Path> part = part(root, options.split());
      return part.isPresent()
          ? readClasses(name, classRoot(part.get()), options, options.split().id())
          : readClasses(name, root, options, RealData.ALL);
    } catch (IOException e) {
      throw FileFailure.readingIn(folder, e);
    } catch (UncheckedIOException e) {
      throw FileFailure.readingIn(folder, e.getCause());
    }
  }

  private static RealData readClasses(String name, Path root, RealData.Options options, String part) throws IOException {
    List<Path> classes = folders(root);
    if (classes.isEmpty()) {
      throw new NoPicturesException(root + ": no class folders, expected one folder of pictures for each class");
    }
    var pictures = new LinkedHashMap<Path, List<Path>>();
    for (Path folder : classes) {
      pictures.put(folder, pictures(folder));
      if (pictures.get(folder).isEmpty()) {
        throw new NoPicturesException(folder + ": no pictures (" + String.join(", ", ENDINGS) + ")");
      }
    }
    int count = pictures.values().stream().mapToInt(List::size).sum();
    try (var packer = new PicturePacker(root.toString(), options, count)) {
      for (Map.Entry<Path, List<Path>> ofClass : pictures.entrySet()) {
        for (Path picture : ofClass.getValue()) {
          packer.add(new PicturePacker.Encoded(picture.toString(), name(ofClass.getKey()), () -> file(picture)));
        }
      }
      List<String> names = classes.stream().map(ImageFolderReader::name).toList();
      return new RealData(packer.pack(name, names, names::indexOf), "image folder", part, packer.unreadable());
    }
  }

  private static byte[] file(Path picture) throws IOException {
    if (Files.size(picture) > PicturePacker.MAX_FILE_BYTES) {
      throw new InvalidInputException(picture + ": larger than " + PicturePacker.MAX_FILE_BYTES + " bytes");
    }
    byte[] bytes = Files.readAllBytes(picture);
    if (picture.getFileSystem().provider().getScheme().equals("jar")
        && Files.getAttribute(picture, "zip:crc") instanceof Long expected) {
      var crc = new CRC32(); // the archive's reader does not look at it
      crc.update(bytes);
      if (crc.getValue() != expected) {
        throw new ZipException("wrong checksum");
      }
    }
    return bytes;
  }

  /** The folder of a part, where the folders are {@code train} and {@code test} (or {@code val}) and not classes. */
  static Optional<Path> part(Path root, RealData.Split split) throws IOException {
    List<Path> folders = folders(root);
    List<String> names = folders.stream().map(ImageFolderReader::name).toList();
    if (!names.contains(TRAIN) || names.size() < 2 || !PARTS.containsAll(names)) {
      return Optional.empty();
    }
    String wanted =
        split == RealData.Split.TRAIN
            ? TRAIN
            : TESTS.stream().filter(names::contains).findFirst().orElseThrow();
    return Optional.of(folders.get(names.indexOf(wanted)));
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
          .filter(file -> !name(file).startsWith("."))
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
