// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.dataset.PicturePacker.Encoded;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Pictures in {@code .tar} files, also packed as {@code .tar.gz}, {@code .tgz} or {@code .tar.xz}: WebDataset shards, where {@code
 * KEY.png} and {@code KEY.cls} or {@code KEY.json} stand beside each other, and archives of class folders.
 */
final class TarReader implements AutoCloseable {
  static final List<String> ENDINGS = List.of(".tar", ".tar.gz", ".tgz", ".tar.xz");

  /** Entries after which an archive without a label is one of class folders. */
  private static final int LOOKED_AT = 1000;

  private final String name;
  private final List<Path> shards;
  private final PicturePacker packer;

  TarReader(String name, List<Path> shards, RealData.Options options) {
    this.name = name;
    this.shards = shards;
    packer = new PicturePacker(shards.size() == 1 ? shards.getFirst().toString() : name, options, 1);
  }

  /** Whether a file's name is that of an archive. */
  static boolean isTar(Path file) {
    String lower = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    return ENDINGS.stream().anyMatch(lower::endsWith);
  }

  /** Whether labels stand beside the pictures. */
  static boolean isWebDataset(Path archive) {
    Set<String> pictures = new HashSet<>();
    Set<String> labelled = new HashSet<>();
    int[] seen = {0};
    TarStream.visit(
        archive,
        entry -> {
          String key = WebSample.key(entry.name());
          if (WebSample.isPicture(entry.name())) {
            pictures.add(key);
          } else if (WebSample.isLabel(entry.name())) {
            labelled.add(key);
          }
          return ++seen[0] < LOOKED_AT && !(pictures.contains(key) && labelled.contains(key));
        });
    return labelled.stream().anyMatch(pictures::contains);
  }

  /**
   * Reads shards.
   *
   * @param classNames in label order, from a file beside the shards; empty if there is none
   */
  RealData readWebDataset(List<String> classNames, String part) throws IOException {
    var labels = new WebLabels(classNames);
    for (Path shard : shards) {
      var samples = new WebSample.Grouping(sample -> add(shard, sample, labels));
      TarStream.visit(
          shard,
          entry -> {
            boolean wanted = WebSample.isPicture(entry.name()) || WebSample.isLabel(entry.name());
            samples.add(entry.name(), wanted ? entry.content() : new byte[0]);
            return true;
          });
      samples.end();
    }
    List<String> read = packer.labels();
    ImageSet images = packer.pack(name, labels.names(read), labels.indices(read));
    return new RealData(images, "WebDataset", part, packer.unreadable());
  }

  private void add(Path shard, WebSample sample, WebLabels labels) throws IOException {
    String what = shard + ": " + sample.key();
    if (sample.isNeither()) {
      return; // a text or a number that belongs to no picture
    }
    if (!sample.isLabelled()) {
      packer.addUnreadable(what + ": no label, expected a .cls or .json file beside the picture");
    } else if (!sample.hasPicture()) {
      packer.addUnreadable(what + ": no picture (" + String.join(", ", ImageFolderReader.ENDINGS) + ")");
    } else {
      String label;
      try {
        label = labels.read(what, sample);
      } catch (InvalidInputException e) {
        packer.addUnreadable(e.getMessage());
        return;
      }
      labels.check(what, label);
      byte[] picture = sample.picture();
      packer.add(new Encoded(what, label, () -> picture));
    }
  }

  /** Reads an archive of class folders. */
  RealData readFolders() throws IOException {
    for (Path shard : shards) {
      TarStream.visit(
          shard,
          entry -> {
            if (WebSample.isPicture(entry.name())) {
              byte[] picture = entry.content();
              packer.add(new Encoded(shard + ": " + entry.name(), entry.name(), () -> picture));
            }
            return true;
          });
    }
    List<String> paths = packer.labels();
    Map<String, String> classOf = classes(paths);
    List<String> names = List.copyOf(new TreeSet<>(classOf.values()));
    Map<String, Integer> indices = new HashMap<>();
    classOf.forEach((path, className) -> indices.put(path, names.indexOf(className)));
    return new RealData(
        packer.pack(name, names, indices::get), "image folder", RealData.ALL, packer.unreadable());
  }

  /** Path to class: below the folders that hold only one folder of folders, as {@link ImageFolderReader} has it. */
  private Map<String, String> classes(List<String> paths) {
    List<List<String>> folders = new ArrayList<>();
    for (String path : paths) {
      List<String> parts = Arrays.stream(path.split("/")).filter(p -> !p.isEmpty() && !p.equals(".")).toList();
      folders.add(parts.subList(0, parts.size() - 1));
    }
    int depth = 0;
    while (!folders.isEmpty() && isCommon(folders, depth)) {
      depth++;
    }
    Map<String, String> classOf = new HashMap<>();
    for (int i = 0; i < paths.size(); i++) {
      if (folders.get(i).size() <= depth) {
        throw new InvalidInputException(
            "%s: %s lies in no class folder, expected one folder of pictures for each class"
                .formatted(packer.source(), paths.get(i)));
      }
      classOf.put(paths.get(i), folders.get(i).get(depth));
    }
    return classOf;
  }

  private static boolean isCommon(List<List<String>> folders, int depth) {
    if (folders.stream().anyMatch(f -> f.size() <= depth)) {
      return false;
    }
    String first = folders.getFirst().get(depth);
    return folders.stream().allMatch(f -> f.get(depth).equals(first)) && folders.stream().anyMatch(f -> f.size() > depth + 1);
  }

  /** Gives up what was read and did not become a set. */
  @Override
  public void close() {
    packer.close();
  }
}
