// SPDX-License-Identifier: Apache-2.0
package dev.motley.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.motley.files.AtomicFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPInputStream;

/**
 * CLIP's own vocabulary, which every CLIP text encoder of 49,408 tokens has (the merges are OpenAI's, under the MIT licence beside them). It
 * follows from the merges: the bytes, the bytes that end a word, the merges in their order, start and end of a text.
 */
final class BuiltInVocabulary {
  /** Tokens of that vocabulary. */
  static final int SIZE = 49_408;

  private static final String MERGES = "merges.txt.gz";
  private static final String LICENCE = "merges.LICENSE.txt";
  private static final int POSITIONS = 77;

  private BuiltInVocabulary() {}

  static Vocabulary read() {
    List<Vocabulary.Merge> merges = new ArrayList<>(SIZE);
    for (String line : merges().lines().skip(1).toList()) { // the first line is the version
      int blank = line.indexOf(' ');
      merges.add(new Vocabulary.Merge(line.substring(0, blank), line.substring(blank + 1)));
    }
    return new Vocabulary(
        "the built-in tokenizer",
        ids(merges),
        merges,
        VocabularyReader.START,
        VocabularyReader.END,
        VocabularyReader.END,
        POSITIONS,
        "the built-in tokenizer");
  }

  private static Map<String, Integer> ids(List<Vocabulary.Merge> merges) {
    Map<String, Integer> ids = new LinkedHashMap<>(2 * SIZE);
    List<String> letters = ByteAlphabet.visibleFirst();
    letters.forEach(letter -> ids.put(letter, ids.size()));
    letters.forEach(letter -> ids.put(letter + BytePairs.END_OF_WORD, ids.size()));
    merges.forEach(merge -> ids.put(merge.left() + merge.right(), ids.size()));
    ids.put(VocabularyReader.START, ids.size());
    ids.put(VocabularyReader.END, ids.size());
    return ids;
  }

  private static String merges() {
    try (InputStream in = new GZIPInputStream(resource(MERGES))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("the library's own " + MERGES, e);
    }
  }

  /** Writes the files that transformers reads: {@code vocab.json}, {@code merges.txt} and {@code tokenizer_config.json}. */
  static void write(Path folder) {
    AtomicFile.write(folder.resolve("merges.txt"), merges());
    AtomicFile.write(folder.resolve("vocab.json"), json(ids(read().merges())));
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("bos_token", VocabularyReader.START);
    config.put("do_lower_case", true);
    config.put("eos_token", VocabularyReader.END);
    config.put("model_max_length", POSITIONS);
    config.put("pad_token", VocabularyReader.END);
    config.put("tokenizer_class", "CLIPTokenizer");
    config.put("unk_token", VocabularyReader.END);
    AtomicFile.write(folder.resolve("tokenizer_config.json"), json(config));
    try (InputStream in = resource(LICENCE)) {
      AtomicFile.write(folder.resolve("LICENSE.txt"), in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException("the library's own " + LICENCE, e);
    }
  }

  private static byte[] json(Map<String, ?> values) {
    var bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
      json.writeStartObject();
      for (var entry : values.entrySet()) {
        switch (entry.getValue()) {
          case Integer number -> json.writeNumberField(entry.getKey(), number);
          case Boolean flag -> json.writeBooleanField(entry.getKey(), flag);
          default -> json.writeStringField(entry.getKey(), entry.getValue().toString());
        }
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // it goes to memory
    }
    return bytes.toByteArray();
  }

  private static InputStream resource(String name) {
    return Objects.requireNonNull(BuiltInVocabulary.class.getResourceAsStream(name), name);
  }
}
