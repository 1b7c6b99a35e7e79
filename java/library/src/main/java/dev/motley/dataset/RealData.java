// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.files.FileFailure;
import dev.motley.image.Resize;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.ProviderNotFoundException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Real labelled images, to test a classifier on.
 *
 * @param images the images in file order
 * @param format how they were stored: {@code IDX}, {@code CIFAR-10}, {@code CIFAR-100} or {@code
 *     image folder}
 * @param unreadable pictures left out because they could not be decoded, at most 1 %
 */
public record RealData(ImageSet images, String format, int unreadable) {

  /** Which part of a data set that has two. */
  public enum Split {
    TEST,
    TRAIN
  }

  /**
   * What to read, and whether to resize it.
   *
   * @param size width and height to resize to; 0 keeps the pictures as they are
   * @param filter how to resize
   */
  public record Options(Split split, int size, Resize.Filter filter) {
    /** The test part as it is. */
    public static final Options TEST = new Options(Split.TEST, 0, Resize.Filter.BILINEAR_AA);

    /** Checks the size. */
    public Options {
      if (size < 0 || size > 4096) {
        throw new InvalidInputException("size " + size + " of real images, expected 0 to 4096");
      }
    }
  }

  private static final List<String> KINDS = List.of("idx", "cifar10", "cifar100", "folder");
  private static final String CLASS_NAMES = "class_names.txt";

  /**
   * Opens the test part of a data set.
   *
   * @param spec a path, or one of {@code idx:}, {@code cifar10:}, {@code cifar100:}, {@code
   *     folder:} and a path
   * @throws InvalidInputException if there is nothing to read, or it is damaged; one line naming
   *     the file
   * @throws ResourceException if a file cannot be read
   */
  public static RealData open(String spec) {
    return open(spec, Options.TEST);
  }

  /** As {@link #open(String)}, with a choice of the part and a size. */
  public static RealData open(String spec, Options options) {
    int colon = spec.indexOf(':');
    String kind = colon < 0 ? "" : spec.substring(0, colon);
    if (!KINDS.contains(kind)) {
      return open(path(spec), Optional.empty(), options);
    }
    return open(path(spec.substring(colon + 1)), Optional.of(kind), options);
  }

  /**
   * As {@link #open(String)}; the kind is recognised by the files: IDX pairs ({@code
   * t10k-images-idx3-ubyte}), CIFAR ({@code test_batch.bin}, {@code test.bin}), each also as .gz or
   * .xz, else class folders, which may lie in a .zip file.
   */
  public static RealData open(Path path, Options options) {
    return open(path, Optional.empty(), options);
  }

  private static RealData open(Path path, Optional<String> kind, Options options) {
    if (path.toString().isEmpty()) {
      throw new InvalidInputException("the path of the real images is empty");
    }
    if (Files.isRegularFile(path)
        && path.toString().toLowerCase(Locale.ROOT).endsWith(".zip")
        && kind.orElse("folder").equals("folder")) {
      return zip(path, options);
    }
    if (!Files.isDirectory(path)) {
      throw new InvalidInputException(
          path
              + ": no such data set; expected a folder with IDX files, CIFAR binary files or one"
              + " folder of pictures for each class (or a .zip of those)");
    }
    RealData data =
        switch (kind.orElseGet(() -> recognise(path))) {
          case "idx" -> new RealData(idx(path, options.split()), "IDX", 0);
          case "cifar10" -> new RealData(cifar10(path, options.split()), "CIFAR-10", 0);
          case "cifar100" -> new RealData(cifar100(path, options.split()), "CIFAR-100", 0);
          default -> ImageFolderReader.read(name(path), path, options);
        };
    return options.size() == 0
        ? data
        : new RealData(
            data.images().resized(options.size(), options.size(), options.filter()),
            data.format(),
            data.unreadable());
  }

  private static String recognise(Path folder) {
    for (String part : List.of("t10k-images-idx3", "train-images-idx3", "t10k-labels-idx1", "train-labels-idx1")) {
      if (PackedFiles.find(folder.resolve(part + "-ubyte")).isPresent()) {
        return "idx";
      }
    }
    for (String stem : List.of("test_batch.bin", "data_batch_1.bin")) {
      if (PackedFiles.find(folder.resolve(stem)).isPresent()) {
        return "cifar10";
      }
    }
    for (String stem : List.of("test.bin", "train.bin")) {
      if (PackedFiles.find(folder.resolve(stem)).isPresent()) {
        return "cifar100";
      }
    }
    return "folder";
  }

  private static ImageSet idx(Path folder, Split split) {
    String prefix = split == Split.TEST ? "t10k" : "train";
    Path images = require(folder, prefix + "-images-idx3-ubyte");
    Path labels = require(folder, prefix + "-labels-idx1-ubyte");
    Path file = folder.resolve(CLASS_NAMES);
    List<String> names;
    if (Files.isRegularFile(file)) {
      names = PackedFiles.names(file);
    } else if (name(folder).toLowerCase(Locale.ROOT).contains("fashion")) {
      names = IdxReader.FASHION_CLASSES;
    } else {
      names = IntStream.range(0, 10).mapToObj(Integer::toString).toList();
    }
    return IdxReader.read(name(folder), images, labels, names);
  }

  private static ImageSet cifar10(Path folder, Split split) {
    List<Path> files = new ArrayList<>();
    if (split == Split.TEST) {
      files.add(require(folder, "test_batch.bin"));
    } else {
      for (int i = 1; i <= 5; i++) {
        files.add(require(folder, "data_batch_" + i + ".bin"));
      }
    }
    List<String> names = PackedFiles.names(require(folder, "batches.meta.txt"));
    return CifarReader.read(name(folder), files, 1, names);
  }

  private static ImageSet cifar100(Path folder, Split split) {
    Path file = require(folder, split == Split.TEST ? "test.bin" : "train.bin");
    List<String> names = PackedFiles.names(require(folder, "fine_label_names.txt"));
    return CifarReader.read(name(folder), List.of(file), 2, names);
  }

  private static RealData zip(Path file, Options options) {
    try (FileSystem archive = FileSystems.newFileSystem(file)) {
      return ImageFolderReader.read(name(file), archive.getPath("/"), options);
    } catch (IOException e) {
      throw new InvalidInputException(file + ": not a readable .zip file: " + FileFailure.reason(e), e);
    } catch (ProviderNotFoundException e) {
      throw new InvalidInputException(file + ": not a .zip file", e);
    }
  }

  private static Path require(Path folder, String stem) {
    return PackedFiles.find(folder.resolve(stem))
        .orElseThrow(
            () -> new InvalidInputException(folder + ": no " + stem + " (nor as .gz or .xz)"));
  }

  private static Path path(String text) {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new InvalidInputException("\"" + text + "\" is not a path: " + e.getReason(), e);
    }
  }

  private static String name(Path path) {
    Path last = path.toAbsolutePath().normalize().getFileName();
    return last == null ? path.toString() : last.toString(); // a root has no name
  }
}
