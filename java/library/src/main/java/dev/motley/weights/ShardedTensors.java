// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import com.fasterxml.jackson.databind.JsonNode;
import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Tensors in several files of one folder, safetensors or PyTorch checkpoints, as an index file ({@code *.safetensors.index.json}, {@code
 * *.bin.index.json}) tells: its {@code weight_map} gives each tensor's file. The index and the files must agree on every tensor.
 *
 * <p>Thread-safe, as its files are.
 */
public final class ShardedTensors implements TensorFile {
  private static final String WEIGHT_MAP = "weight_map";

  private final Path file;
  private final Map<String, TensorFile> shardOf;

  private ShardedTensors(Path file, Map<String, TensorFile> shardOf) {
    this.file = file;
    this.shardOf = shardOf;
  }

  /**
   * Opens an index file and all files that it names, which must lie beside it.
   *
   * @throws InvalidInputException if a file is missing or damaged, or if index and files disagree; the message names file and tensor
   * @throws ResourceException if a file cannot be read or mapped
   */
  public static ShardedTensors open(Path index) {
    Map<String, TensorFile> shards = new LinkedHashMap<>();
    Map<String, TensorFile> shardOf = new LinkedHashMap<>();
    for (var entry : weightMap(index).entrySet()) {
      String name = entry.getKey();
      TensorFile shard = shards.computeIfAbsent(entry.getValue(), shardName -> openShard(index, shardName, name));
      if (!shard.names().contains(name)) {
        throw new InvalidInputException(index + ": tensor " + Quote.of(name) + " is not in its file " + shard.file());
      }
      shardOf.put(name, shard);
    }
    for (TensorFile shard : shards.values()) {
      for (String name : shard.names()) {
        checkIndexed(index, name, shard, shardOf);
      }
    }
    return new ShardedTensors(index, shardOf);
  }

  private static Map<String, String> weightMap(Path index) {
    JsonNode map = ConfigFile.read(index).node(WEIGHT_MAP);
    if (!map.isObject() || map.isEmpty()) {
      throw new InvalidInputException(index + ": " + WEIGHT_MAP + " is missing or empty, expected an object of file names");
    }
    Map<String, String> files = new LinkedHashMap<>();
    for (var entry : map.properties()) {
      if (!entry.getValue().isTextual() || !isPlainName(entry.getValue().textValue())) {
        throw new InvalidInputException(
            "%s: tensor %s lies in %s, expected the name of a file beside the index"
                .formatted(index, Quote.of(entry.getKey()), Quote.line(entry.getValue().toString())));
      }
      files.put(entry.getKey(), entry.getValue().textValue());
    }
    return files;
  }

  /** Whether a name stays in its folder on any system. */
  private static boolean isPlainName(String name) {
    return !name.isBlank()
        && !name.equals(".")
        && !name.equals("..")
        && name.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || Character.isISOControl(c) || Character.isSurrogate((char) c));
  }

  private static TensorFile openShard(Path index, String shardName, String tensor) {
    Path shard = index.resolveSibling(shardName);
    if (!Files.exists(shard)) {
      throw new InvalidInputException(
          "%s: file %s is missing, which holds tensor %s".formatted(index, shard.getFileName(), Quote.of(tensor)));
    }
    if (TensorFiles.isIndex(shard)) {
      throw new InvalidInputException("%s: file %s is an index, too, expected tensors".formatted(index, shard.getFileName()));
    }
    return TensorFile.open(shard);
  }

  private static void checkIndexed(Path index, String name, TensorFile shard, Map<String, TensorFile> shardOf) {
    TensorFile indexed = shardOf.get(name);
    if (indexed == null) {
      throw new InvalidInputException(
          "%s: tensor %s of %s is not in the index".formatted(index, Quote.of(name), shard.file().getFileName()));
    }
    if (indexed != shard) {
      throw new InvalidInputException(
          "%s: tensor %s is in two files, %s and %s"
              .formatted(index, Quote.of(name), indexed.file().getFileName(), shard.file().getFileName()));
    }
  }

  /** The index. */
  @Override
  public Path file() {
    return file;
  }

  /** Names in the order of the index. */
  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(shardOf.keySet());
  }

  @Override
  public TensorView tensor(String name) {
    TensorFile shard = shardOf.get(name);
    if (shard == null) {
      throw new InvalidInputException(file + ": no tensor " + Quote.of(name));
    }
    return shard.tensor(name);
  }

  @Override
  public String toString() {
    return file.toString();
  }

  @Override
  public void close() {
    shardOf.values().forEach(TensorFile::close);
  }
}
