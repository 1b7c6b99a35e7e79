// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.ffi.PixelStorage;
import dev.motley.files.FileFailure;
import dev.motley.image.Resize;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.ProviderNotFoundException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Real labelled images, to test a classifier on, or to train it on for a ceiling.
 *
 * @param images the images in file order
 * @param format how they were stored: {@code IDX}, {@code CIFAR-10}, {@code CIFAR-100}, {@code WebDataset} or {@code image folder}
 * @param part {@code train} or {@code test}, {@code all} of a set that has but one, or its seeded {@code train, 80 %} or {@code
 *     test, 20 %}
 * @param unreadable pictures left out because they could not be decoded, at most 1 %
 */
public record RealData(ImageSet images, String format, String part, int unreadable) {

  /** Which part of a data set that has two. */
  public enum Split {
    TEST,
    TRAIN;

    /** The name in specs, such as {@code test}. */
    public String id() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * What to read, and whether to resize it.
   *
   * @param size width and height to resize to; 0 keeps the pictures as they are
   * @param filter how to resize
   * @param storage where the pixels are kept
   */
  public record Options(Split split, int size, Resize.Filter filter, PixelStorage storage) {
    /** The test part as it is. */
    public static final Options TEST = new Options(Split.TEST, 0, Resize.Filter.BILINEAR_AA);

    /** Checks the size. */
    public Options {
      if (size < 0 || size > 4096) {
        throw new InvalidInputException("size " + size + " of real images, expected 0 to 4096");
      }
    }

    /** Pixels are kept as {@link PixelStorage#standard} says. */
    public Options(Split split, int size, Resize.Filter filter) {
      this(split, size, filter, PixelStorage.standard());
    }
  }

  /** {@link #part} of a set that has but one. */
  public static final String ALL = "all";

  /** A set without parts of its own is cut 80/20, as is usual for EuroSAT. */
  private static final double TRAIN_SHARE = 0.8;

  /** Never changes: what was trained on must not be tested on. */
  private static final long SPLIT_SEED = 0;

  private static final String CLASS_NAMES = "class_names.txt";

  /**
   * Opens the test part of a data set.
   *
   * @param spec {@code [KIND:]PATH[@train|@test]}: KIND is {@code idx}, {@code cifar10}, {@code cifar100}, {@code folder} or {@code
   *     webdataset}, by default as the files look
   * @throws InvalidInputException if there is nothing to read, or it is damaged; one line naming
   *     the file
   * @throws ResourceException if a file cannot be read
   */
  public static RealData open(String spec) {
    return open(spec, Options.TEST);
  }

  /** As {@link #open(String)}, with a choice of the part that is read where the spec does not name one, and a size. */
  public static RealData open(String spec, Options options) {
    DataSpec parsed = DataSpec.parse(spec);
    if (parsed.isPartial()) {
      throw new InvalidInputException("\"" + spec + "\": a share is for training data; expected a path, or @train or @test");
    }
    return open(parsed, options);
  }

  /**
   * As {@link #open(String)}; the kind is recognised by the files: IDX pairs ({@code
   * t10k-images-idx3-ubyte}), CIFAR ({@code test_batch.bin}, {@code test.bin}), each also as .gz or
   * .xz, WebDataset shards, else class folders, which may lie in a .zip or .tar.gz file.
   */
  public static RealData open(Path path, Options options) {
    return open(path, Optional.empty(), options);
  }

  /**
   * Opens what a spec names.
   *
   * @param options with the part to read where the spec does not say
   */
  static RealData open(DataSpec spec, Options options) {
    Split split = spec.part().orElse(options.split());
    RealData data = open(spec.path(), spec.kind(), new Options(split, options.size(), options.filter(), options.storage()));
    return spec.part().isPresent() && data.part.equals(ALL) ? data.seeded(spec.part().get()) : data;
  }

  /** The set cut in two, the same way every time, class by class. */
  private RealData seeded(Split split) {
    List<List<Integer>> members = EvenDraw.byClass(images.labels(), images.classNames().size());
    var wanted = new ArrayList<List<Integer>>();
    for (int label = 0; label < members.size(); label++) {
      List<Integer> all = members.get(label);
      int count = (int) Math.round(TRAIN_SHARE * all.size());
      List<Integer> train = EvenDraw.draw(all, List.of(), count, label, SPLIT_SEED);
      var test = new ArrayList<>(all);
      test.removeAll(new HashSet<>(train));
      wanted.add(split == Split.TRAIN ? train : test);
    }
    ImageSet some = images.subset(EvenDraw.all(wanted)).insteadOf(images);
    return new RealData(some, format, split == Split.TRAIN ? "train, 80 %" : "test, 20 %", unreadable);
  }

  private static RealData open(Path path, Optional<DataSpec.Kind> kind, Options options) {
    if (path.toString().isEmpty()) {
      throw new InvalidInputException("the path of the real images is empty");
    }
    RealData data = read(path, kind, options);
    if (options.size() == 0) {
      return data;
    }
    ImageSet images = data.images().resized(options.size(), options.size(), options.filter()).insteadOf(data.images());
    return new RealData(images, data.format(), data.part(), data.unreadable());
  }

  private static RealData read(Path path, Optional<DataSpec.Kind> kind, Options options) {
    DataSpec.Kind folders = kind.orElse(DataSpec.Kind.FOLDER);
    boolean pictures = folders == DataSpec.Kind.FOLDER || folders == DataSpec.Kind.WEBDATASET;
    if (Files.isRegularFile(path) && pictures) {
      if (folders == DataSpec.Kind.FOLDER && path.toString().toLowerCase(Locale.ROOT).endsWith(".zip")) {
        return zip(path, options);
      }
      if (TarReader.isTar(path)) {
        return ShardFinder.archive(name(path), path, kind, options);
      }
    }
    if (Files.isRegularFile(path) && kind.orElse(DataSpec.Kind.IDX) == DataSpec.Kind.IDX && IdxReader.isImages(path)) {
      return new RealData(idx(path, options), "IDX", ALL, 0);
    }
    if (pictures && ShardFinder.isPattern(path)) {
      return ShardFinder.shards(path, options);
    }
    if (!Files.isDirectory(path)) {
      throw new InvalidInputException(
          path
              + ": no such data set; expected a folder with IDX files (or their images file), CIFAR binary files, WebDataset shards or one"
              + " folder of pictures for each class (or a .zip or .tar.gz of those)");
    }
    Split split = options.split();
    return switch (kind.orElseGet(() -> recognise(path, split))) {
      case STORE -> throw new InvalidInputException(path + ": a synthetic store is to be trained on, not tested on");
      case IDX -> new RealData(idx(path, options), "IDX", split.id(), 0);
      case CIFAR10 -> new RealData(cifar10(path, options), "CIFAR-10", split.id(), 0);
      case CIFAR100 -> new RealData(cifar100(path, options), "CIFAR-100", split.id(), 0);
      case WEBDATASET -> ShardFinder.folder(name(path), path, options);
      case FOLDER -> ImageFolderReader.read(name(path), path, options);
    };
  }

  private static DataSpec.Kind recognise(Path folder, Split split) {
    for (String file : List.of("t10k" + IdxReader.IMAGES, "train" + IdxReader.IMAGES, "t10k" + IdxReader.LABELS, "train" + IdxReader.LABELS)) {
      if (PackedFiles.find(folder.resolve(file)).isPresent()) {
        return DataSpec.Kind.IDX;
      }
    }
    for (String stem : List.of("test_batch.bin", "data_batch_1.bin")) {
      if (PackedFiles.find(folder.resolve(stem)).isPresent()) {
        return DataSpec.Kind.CIFAR10;
      }
    }
    for (String stem : List.of("test.bin", "train.bin")) {
      if (PackedFiles.find(folder.resolve(stem)).isPresent()) {
        return DataSpec.Kind.CIFAR100;
      }
    }
    return ShardFinder.hasShards(folder, split) ? DataSpec.Kind.WEBDATASET : DataSpec.Kind.FOLDER;
  }

  /** A part of a folder, or all of one file of images. */
  private static ImageSet idx(Path path, Options options) {
    boolean whole = Files.isRegularFile(path);
    Path folder = whole ? path.toAbsolutePath().getParent() : path;
    Path images = whole ? path : require(folder, (options.split() == Split.TEST ? "t10k" : "train") + IdxReader.IMAGES);
    Path labels = require(folder, IdxReader.labelsOf(images));
    Path file = folder.resolve(CLASS_NAMES);
    List<String> names;
    if (Files.isRegularFile(file)) {
      names = PackedFiles.names(file);
    } else if (name(folder).toLowerCase(Locale.ROOT).contains("fashion")) {
      names = IdxReader.FASHION_CLASSES;
    } else {
      names = IntStream.range(0, 10).mapToObj(Integer::toString).toList();
    }
    return IdxReader.read(name(path), images, labels, names, options.storage());
  }

  private static ImageSet cifar10(Path folder, Options options) {
    List<Path> files = new ArrayList<>();
    if (options.split() == Split.TEST) {
      files.add(require(folder, "test_batch.bin"));
    } else {
      for (int i = 1; i <= 5; i++) {
        files.add(require(folder, "data_batch_" + i + ".bin"));
      }
    }
    List<String> names = PackedFiles.names(require(folder, "batches.meta.txt"));
    return CifarReader.read(name(folder), files, 1, names, options.storage());
  }

  private static ImageSet cifar100(Path folder, Options options) {
    Path file = require(folder, options.split() == Split.TEST ? "test.bin" : "train.bin");
    List<String> names = PackedFiles.names(require(folder, "fine_label_names.txt"));
    return CifarReader.read(name(folder), List.of(file), 2, names, options.storage());
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

  static String name(Path path) {
    Path last = path.toAbsolutePath().normalize().getFileName();
    return last == null ? path.toString() : last.toString(); // a root has no name
  }
}
