// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.tricks.GenerationPlan;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * What a synthetic store is a store of: its {@code dataset.json}.
 *
 * @param plan every image it will hold
 * @param modelHash identifies the weights, for example 64 hexadecimal digits; letters, digits,
 *     {@code -}, {@code .} and {@code :}
 * @param config all else that decides the images' bytes: precision, stored size, resize and so on;
 *     plain values, lists and maps. A store is only continued with an equal config
 * @param versions of the programs that began it, for the record; may differ when it is continued
 * @param imagesPerShard images in each shard but the last
 */
public record StoreHeader(
    GenerationPlan plan,
    String modelHash,
    Map<String, Object> config,
    Map<String, Object> versions,
    int imagesPerShard) {

  /** The name of the file. */
  public static final String FILE = "dataset.json";

  /** At 512x512 a shard of so many is about half a gigabyte, at 32x32 about five megabytes. */
  public static final int DEFAULT_IMAGES_PER_SHARD = 1000;

  /** In {@link #config} where pictures are checked: the {@link SafetyPolicy}. */
  static final String SAFETY = "safety";

  /** In {@link #config} where pictures are checked: what identifies the checker. */
  static final String SAFETY_CHECKER = "safety-checker";

  private static final String FORMAT = "motley-dataset";
  private static final int VERSION = 1;
  private static final Pattern MODEL_HASH = Pattern.compile("[A-Za-z0-9.:-]{1,200}");
  private static final int SHOWN_DIGITS = 16;

  /** Checks the parts. */
  public StoreHeader {
    config = Collections.unmodifiableMap(new LinkedHashMap<>(config));
    versions = Collections.unmodifiableMap(new LinkedHashMap<>(versions));
    if (!MODEL_HASH.matcher(modelHash).matches()) {
      throw new InvalidInputException(
          "model hash '" + modelHash + "': expected letters, digits, '-', '.' and ':'");
    }
    if (imagesPerShard < 1) {
      throw new InvalidInputException(
          "images per shard must be 1 or more, found " + imagesPerShard);
    }
  }

  /**
   * A header with shards of the default size.
   *
   * @param plan every image the store will hold
   * @param modelHash identifies the weights
   * @param config all else that decides the images' bytes
   * @param versions for the record
   * @return the header
   */
  public static StoreHeader of(
      GenerationPlan plan,
      String modelHash,
      Map<String, Object> config,
      Map<String, Object> versions) {
    return new StoreHeader(plan, modelHash, config, versions, DEFAULT_IMAGES_PER_SHARD);
  }

  /** What becomes of pictures that the safety checker flags. */
  public SafetyPolicy safety() {
    return SafetyPolicy.named(String.valueOf(config.getOrDefault(SAFETY, SafetyPolicy.OFF.id())));
  }

  /** Whether a slot of the journal is what the plan and the policy have at its position. */
  boolean expects(StoreSlot slot) {
    return slot.position() < plan.size()
        && slot.key().equals(plan.image(slot.position()).key())
        && slot.shard() == shardOf(slot.position())
        && (slot instanceof StoreEntry || safety() == SafetyPolicy.DROP);
  }

  int shardOf(int position) {
    return position / imagesPerShard;
  }

  /** The position after the last of a shard. */
  int endOf(int shard) {
    return (int) Math.min(plan.size(), (shard + 1L) * imagesPerShard);
  }

  StoreJournal.Head head() {
    return new StoreJournal.Head(plan.hash(), modelHash);
  }

  byte[] toJson() {
    var tree = new LinkedHashMap<String, Object>();
    tree.put(FORMAT, VERSION);
    tree.put(
        "plan",
        StoreJson.read(
            "the plan", plan.toJson().getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    tree.put("plan-hash", plan.hash());
    tree.put("model-hash", modelHash);
    tree.put("config", config);
    tree.put("versions", versions);
    tree.put("images", plan.size());
    tree.put("images-per-shard", imagesPerShard);
    return StoreJson.document(tree);
  }

  /** Reads a dataset.json; errors name the file. */
  static StoreHeader read(String file, byte[] json) {
    Map<String, Object> tree = StoreJson.read(file, json);
    if (!Integer.valueOf(VERSION).equals(tree.get(FORMAT))) {
      throw new InvalidInputException(
          file + ": expected '" + FORMAT + "': " + VERSION + ", found " + tree.get(FORMAT));
    }
    for (String key : List.of("plan", "plan-hash", "model-hash", "images-per-shard")) {
      if (!tree.containsKey(key)) {
        throw new InvalidInputException(file + ": '" + key + "' is missing");
      }
    }
    GenerationPlan plan = GenerationPlan.fromJson(StoreJson.text(tree.get("plan")));
    if (!plan.hash().equals(tree.get("plan-hash"))) {
      throw new InvalidInputException(
          "%s: the plan has hash %s, but 'plan-hash' says %s"
              .formatted(file, shown(plan.hash()), shown(String.valueOf(tree.get("plan-hash")))));
    }
    if (!(tree.get("images-per-shard") instanceof Integer perShard)) {
      throw new InvalidInputException(file + ": 'images-per-shard' must be a whole number");
    }
    return new StoreHeader(
        plan,
        String.valueOf(tree.get("model-hash")),
        map(file, "config", tree),
        map(file, "versions", tree),
        perShard);
  }

  private static Map<String, Object> map(String file, String key, Map<String, Object> tree) {
    if (!(tree.getOrDefault(key, Map.of()) instanceof Map<?, ?> map)) {
      throw new InvalidInputException(file + ": '" + key + "' must be a map");
    }
    var named = new LinkedHashMap<String, Object>();
    map.forEach((k, v) -> named.put(String.valueOf(k), v));
    return named;
  }

  /** Refuses to continue a store that was begun under another header. */
  void requireSame(StoreHeader begun, String folder) {
    if (!begun.plan.hash().equals(plan.hash())) {
      throw new InvalidInputException(
          "folder %s belongs to another plan: %s; choose another folder"
              .formatted(folder, begun.plan.difference(plan).orElse("their hashes differ")));
    }
    if (!begun.modelHash.equals(modelHash)) {
      throw new InvalidInputException(
          "folder %s was drawn by another model: it has %s, asked for is %s; choose another folder"
              .formatted(folder, shown(begun.modelHash), shown(modelHash)));
    }
    var keys = new TreeSet<>(begun.config.keySet());
    keys.addAll(config.keySet());
    for (String key : keys) {
      // Compared as JSON: what was read back has other number types than what was asked for.
      String old = StoreJson.text(new TreeMap<>(begun.config).get(key));
      String asked = StoreJson.text(new TreeMap<>(config).get(key));
      if (!old.equals(asked)) {
        throw new InvalidInputException(
            "folder %s was drawn with %s = %s, asked for is %s; choose another folder"
                .formatted(folder, key, old, asked));
      }
    }
    if (begun.imagesPerShard != imagesPerShard) {
      throw new InvalidInputException(
          "folder %s has %d images per shard, asked for are %d; choose another folder"
              .formatted(folder, begun.imagesPerShard, imagesPerShard));
    }
  }

  static String shown(String hash) {
    return hash.length() <= SHOWN_DIGITS ? hash : hash.substring(0, SHOWN_DIGITS);
  }
}
