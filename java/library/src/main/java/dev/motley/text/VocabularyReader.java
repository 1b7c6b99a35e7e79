// SPDX-License-Identifier: Apache-2.0
package dev.motley.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.motley.InvalidInputException;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a tokenizer folder in either of its layouts: {@code vocab.json} and {@code merges.txt}, or
 * {@code tokenizer.json} alone; {@code tokenizer_config.json}, where there is one, names the
 * special tokens and the length.
 */
final class VocabularyReader {
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** CLIP's own file is 3 MB in the larger layout. */
  private static final long MAX_BYTES = 64 << 20;

  static final String START = "<|startoftext|>";
  static final String END = "<|endoftext|>";
  private static final int CLIP_POSITIONS = 77;

  /** Files without a limit state 10^30. */
  private static final int MAX_LENGTH = 1 << 16;

  private final Path folder;
  private final int usualLength;

  private VocabularyReader(Path folder, int usualLength) {
    this.folder = folder;
    this.usualLength = usualLength;
  }

  static Vocabulary read(Path folder) {
    return read(folder, CLIP_POSITIONS);
  }

  /**
   * The same.
   *
   * @param usualLength ids per text where the files state no limit
   */
  static Vocabulary read(Path folder, int usualLength) {
    return new VocabularyReader(folder, usualLength).read();
  }

  private Vocabulary read() {
    Path vocab = folder.resolve("vocab.json");
    Path merges = folder.resolve("merges.txt");
    Path single = folder.resolve("tokenizer.json");
    if (Files.exists(vocab) && Files.exists(merges)) {
      return vocabulary(vocab, ids(vocab, json(vocab)), mergesText(merges), usualLength, vocab.toString());
    }
    if (!Files.exists(single)) {
      throw new InvalidInputException(
          folder + ": no tokenizer, expected vocab.json and merges.txt, or tokenizer.json");
    }
    JsonNode root = json(single);
    JsonNode model = root.path("model");
    require(single, "model.type", model.path("type"), "BPE");
    require(single, "model.end_of_word_suffix", model.path("end_of_word_suffix"), "</w>");
    Map<String, Integer> ids = ids(single, model.path("vocab"));
    for (JsonNode added : root.path("added_tokens")) {
      Integer before = ids.put(added.path("content").asText(), added.path("id").asInt(-1));
      if (before != null && before != added.path("id").asInt(-1)) {
        throw bad(single, "added_tokens", added.toString(), "the id of model.vocab, " + before);
      }
    }
    int length = root.path("truncation").path("max_length").asInt(usualLength);
    return vocabulary(single, ids, mergesJson(single, model.path("merges")), length, single + ": truncation.max_length");
  }

  private Vocabulary vocabulary(
      Path source, Map<String, Integer> ids, List<Vocabulary.Merge> merges, int otherwise, String otherwiseFrom) {
    Path file = folder.resolve("tokenizer_config.json");
    JsonNode config = Files.exists(file) ? json(file) : JsonNodeFactory.instance.objectNode();
    double given = config.path("model_max_length").asDouble(Double.POSITIVE_INFINITY);
    boolean stated = given <= MAX_LENGTH;
    double length = stated ? given : otherwise;
    if (length < 3) {
      throw bad(file, "model_max_length", config.path("model_max_length").asText(), "at least 3");
    }
    return new Vocabulary(
        source.toString(),
        ids,
        merges,
        special(config, "bos_token", START),
        special(config, "eos_token", END),
        special(config, "pad_token", END),
        (int) length,
        stated ? file + ": model_max_length" : otherwiseFrom);
  }

  /** A token given by its text, or by an object that holds the text. */
  private static String special(JsonNode config, String key, String absent) {
    JsonNode node = config.path(key);
    return node.isObject() ? node.path("content").asText(absent) : node.asText(absent);
  }

  private static Map<String, Integer> ids(Path file, JsonNode vocab) {
    if (!vocab.isObject() || vocab.isEmpty()) {
      throw new InvalidInputException(file + ": holds no object of tokens and ids");
    }
    Map<String, Integer> ids = new HashMap<>(vocab.size() * 2);
    vocab
        .properties()
        .forEach(
            entry -> {
              JsonNode id = entry.getValue();
              if (!id.isInt() || id.intValue() < 0 || id.intValue() > 1 << 24) {
                throw bad(file, entry.getKey(), id.toString(), "an id from 0 to 16777216");
              }
              ids.put(entry.getKey(), id.intValue());
            });
    return ids;
  }

  private static List<Vocabulary.Merge> mergesText(Path file) {
    List<Vocabulary.Merge> merges = new ArrayList<>();
    List<String> lines;
    try {
      checkSize(file);
      lines = Files.readAllLines(file);
    } catch (IOException e) {
      throw FileFailure.reading(file, e);
    }
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (!(i == 0 && line.startsWith("#version")) && !line.isBlank()) {
        merges.add(merge(file, "line " + (i + 1), line.split(" ", -1)));
      }
    }
    return merges;
  }

  private static List<Vocabulary.Merge> mergesJson(Path file, JsonNode list) {
    List<Vocabulary.Merge> merges = new ArrayList<>();
    for (JsonNode item : list) {
      String[] pair =
          item.isArray()
              ? item.valueStream().map(JsonNode::asText).toArray(String[]::new)
              : item.asText().split(" ", -1);
      merges.add(merge(file, "model.merges[" + merges.size() + "]", pair));
    }
    return merges;
  }

  private static Vocabulary.Merge merge(Path file, String where, String... pair) {
    if (pair.length != 2 || pair[0].isEmpty() || pair[1].isEmpty()) {
      throw bad(file, where, String.join(" ", pair), "two tokens");
    }
    return new Vocabulary.Merge(pair[0], pair[1]);
  }

  private static void require(Path file, String key, JsonNode value, String only) {
    if (!value.asText().equals(only)) {
      throw bad(file, key, value.asText(), only);
    }
  }

  private static JsonNode json(Path file) {
    try {
      checkSize(file);
      return JSON.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new InvalidInputException(
          file + ": not valid JSON: " + e.getOriginalMessage().lines().findFirst().orElse(""), e);
    } catch (IOException e) {
      throw FileFailure.reading(file, e);
    }
  }

  private static void checkSize(Path file) throws IOException {
    if (Files.size(file) > MAX_BYTES) {
      throw new InvalidInputException(
          file + ": larger than " + MAX_BYTES + " bytes, not a tokenizer's file");
    }
  }

  private static InvalidInputException bad(Path file, String key, String value, String expected) {
    String shown = value.length() > 80 ? value.substring(0, 80) + "..." : value;
    return new InvalidInputException(
        file
            + ": "
            + key.replaceAll("\\p{Cntrl}", "?")
            + " is \""
            + shown.replaceAll("\\p{Cntrl}", "?")
            + "\"; expected "
            + expected);
  }
}
