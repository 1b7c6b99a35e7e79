// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Which {@code .tar} files make up a data set: one, those of a folder, or those of a pattern such as {@code {00..03}}. */
final class ShardFinder {
  /** The names that are used for the class names beside shards; one a line, in label order. */
  private static final List<String> NAME_FILES = List.of("classnames.txt", "classes.txt", "class_names.txt");

  private static final Pattern BRACES = Pattern.compile("(.*)\\{(\\d{1,9})\\.\\.(\\d{1,9})}(.*)");
  private static final int MAX_SHARDS = 100_000;

  private ShardFinder() {}

  /** Whether a path stands for several shards. */
  static boolean isPattern(Path path) {
    return BRACES.matcher(path.toString()).matches() && !Files.exists(path);
  }

  /** Whether a folder, or its folder of a part, has shards. */
  static boolean hasShards(Path folder, RealData.Split split) {
    try {
      return !list(ImageFolderReader.part(folder, split).orElse(folder)).isEmpty();
    } catch (IOException e) {
      throw FileFailure.readingIn(folder, e);
    }
  }

  /** One archive, of samples or of class folders. */
  static RealData archive(String name, Path file, Optional<DataSpec.Kind> kind, RealData.Options options) {
    boolean samples =
        kind.map(k -> k == DataSpec.Kind.WEBDATASET)
            .orElseGet(() -> TarReader.isWebDataset(file));
    return samples
        ? webDataset(name, file.toAbsolutePath().getParent(), List.of(file), RealData.ALL, options)
        : reading(
            file,
            () -> {
              try (var reader = new TarReader(name, List.of(file), options)) {
                return reader.readFolders();
              }
            });
  }

  /** The shards of a folder. */
  static RealData folder(String name, Path folder, RealData.Options options) {
    return reading(
        folder,
        () -> {
          Optional<Path> part = ImageFolderReader.part(folder, options.split());
          Path at = part.orElse(folder);
          List<Path> shards = list(at);
          if (shards.isEmpty()) {
            throw new InvalidInputException(at + ": no shards (" + String.join(", ", TarReader.ENDINGS) + ")");
          }
          return webDataset(name, at, shards, part.map(_ -> options.split().id()).orElse(RealData.ALL), options);
        });
  }

  /** The shards of a pattern, all of which must be there. */
  static RealData shards(Path pattern, RealData.Options options) {
    Matcher braces = BRACES.matcher(pattern.toString());
    if (!braces.matches()) {
      throw new IllegalArgumentException(pattern.toString());
    }
    int from = Integer.parseInt(braces.group(2));
    int to = Integer.parseInt(braces.group(3));
    if (to < from || to - from >= MAX_SHARDS) {
      throw new InvalidInputException(
          "%s: expected a range that goes up, of at most %d shards".formatted(pattern, MAX_SHARDS));
    }
    String digits = "%0" + braces.group(2).length() + "d";
    var shards = new ArrayList<Path>();
    for (int i = from; i <= to; i++) {
      Path shard = Path.of(braces.group(1) + digits.formatted(i) + braces.group(4));
      if (!Files.isRegularFile(shard)) {
        throw new InvalidInputException(shard + ": no such file, of " + pattern);
      }
      shards.add(shard);
    }
    return webDataset(
        RealData.name(pattern), shards.getFirst().toAbsolutePath().getParent(), shards, RealData.ALL, options);
  }

  private static RealData webDataset(
      String name, Path folder, List<Path> shards, String part, RealData.Options options) {
    List<String> names =
        Stream.of(folder, folder.resolve(".."))
            .flatMap(at -> NAME_FILES.stream().map(at::resolve))
            .filter(Files::isRegularFile)
            .findFirst()
            .map(PackedFiles::names)
            .orElse(List.of());
    return reading(
        folder,
        () -> {
          try (var reader = new TarReader(name, shards, options)) {
            return reader.readWebDataset(names, part);
          }
        });
  }

  /** Does something that reads. */
  @FunctionalInterface
  private interface Reading {
    RealData read() throws IOException;
  }

  private static RealData reading(Path file, Reading body) {
    try {
      return body.read();
    } catch (IOException e) {
      throw FileFailure.readingIn(file, e);
    } catch (UncheckedIOException e) {
      throw FileFailure.readingIn(file, e.getCause());
    }
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.filter(Files::isRegularFile).filter(TarReader::isTar).sorted().toList();
    }
  }
}
