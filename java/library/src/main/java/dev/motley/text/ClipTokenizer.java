// SPDX-License-Identifier: Apache-2.0
package dev.motley.text;

import dev.motley.InvalidInputException;
import dev.motley.files.Sha256;
import dev.motley.weights.Checkpoint;
import dev.motley.weights.TextConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * CLIP's tokenizer: the ids are those of HuggingFace's {@code CLIPTokenizer} with the same files,
 * padded to the model's length, cut so that the end token stays. Immutable and thread-safe.
 */
public final class ClipTokenizer {
  private final BytePairs pairs;
  private final Map<Integer, String> spellings = new HashMap<>();
  private final String startToken;
  private final String endToken;
  private final int start;
  private final int end;
  private final int pad;
  private final int maxLength;
  private final int vocabularySize;
  private final String hash;

  private ClipTokenizer(Vocabulary vocabulary) {
    pairs = new BytePairs(vocabulary);
    startToken = vocabulary.start();
    endToken = vocabulary.end();
    start = special(vocabulary, startToken);
    end = special(vocabulary, endToken);
    pad = special(vocabulary, vocabulary.pad());
    maxLength = vocabulary.maxLength();
    int highest = 0;
    for (var entry : vocabulary.ids().entrySet()) {
      String other = spellings.put(entry.getValue(), entry.getKey());
      if (other != null) {
        throw new InvalidInputException(
            vocabulary.source()
                + (": id " + entry.getValue() + " belongs to two tokens, \"" + other + "\" and \"")
                + (entry.getKey() + "\""));
      }
      highest = Math.max(highest, entry.getValue());
    }
    vocabularySize = highest + 1;
    hash = hash(vocabulary);
  }

  private String hash(Vocabulary vocabulary) {
    var text = new StringBuilder("ids " + start + " " + end + " " + pad + " length " + maxLength + "\n");
    for (int id = 0; id < vocabularySize; id++) {
      if (spellings.containsKey(id)) {
        text.append(id).append(' ').append(spellings.get(id)).append('\n');
      }
    }
    vocabulary.merges().forEach(merge -> text.append(merge.left()).append(' ').append(merge.right()).append('\n'));
    return Sha256.of(text.toString().getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Reads a tokenizer folder: {@code vocab.json} and {@code merges.txt}, or {@code tokenizer.json};
   * {@code tokenizer_config.json} may name special tokens and the length.
   *
   * @throws InvalidInputException if a file is missing or damaged; the message names it
   * @throws dev.motley.ResourceException if a file cannot be read
   */
  public static ClipTokenizer load(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new InvalidInputException(folder + ": no such tokenizer folder");
    }
    return new ClipTokenizer(VocabularyReader.read(folder));
  }

  /** CLIP's own tokenizer of 49,408 tokens, which Stable Diffusion v1 uses; needs no file. */
  public static ClipTokenizer builtIn() {
    return new ClipTokenizer(BuiltInVocabulary.read());
  }

  /**
   * The tokenizer of a checkpoint: that of its {@code tokenizer/} folder; CLIP's own where there is none. It gives as many ids as the text
   * encoder has positions, also where its files state a larger limit or, as old ones do, 10^30.
   *
   * @throws InvalidInputException if the folder's files are damaged or do not fit the text encoder, or if there is no folder and the text
   *     encoder's vocabulary is not CLIP's
   */
  public static ClipTokenizer of(Checkpoint checkpoint) {
    TextConfig encoder = checkpoint.textConfig();
    if (checkpoint.tokenizerFolder().isPresent()) {
      return fitting(VocabularyReader.read(checkpoint.tokenizerFolder().get(), encoder.positions()), encoder);
    }
    int size = encoder.vocabSize();
    if (size != BuiltInVocabulary.SIZE) {
      throw new InvalidInputException(
          "%s: no tokenizer/ folder, and a text encoder of %,d tokens does not take CLIP's own tokenizer of %,d"
              .formatted(checkpoint.path(), size, BuiltInVocabulary.SIZE));
    }
    return new ClipTokenizer(BuiltInVocabulary.read().withMaxLength(encoder.positions()));
  }

  private static ClipTokenizer fitting(Vocabulary vocabulary, TextConfig encoder) {
    if (vocabulary.maxLength() < encoder.positions()) {
      throw new InvalidInputException(
          "%s is %d, expected at least the %d of the text encoder's max_position_embeddings"
              .formatted(vocabulary.lengthSource(), vocabulary.maxLength(), encoder.positions()));
    }
    var tokenizer = new ClipTokenizer(vocabulary.withMaxLength(encoder.positions()));
    if (tokenizer.vocabularySize() > encoder.vocabSize()) {
      throw new InvalidInputException(
          "%s: has ids up to %d, the text encoder's vocab_size is %d"
              .formatted(vocabulary.source(), tokenizer.vocabularySize() - 1, encoder.vocabSize()));
    }
    return tokenizer;
  }

  /**
   * Writes {@link #builtIn} as transformers' files, with their licence.
   *
   * @param folder made if absent
   * @throws dev.motley.ResourceException if they cannot be written
   */
  public static void writeBuiltIn(Path folder) {
    BuiltInVocabulary.write(folder);
  }

  /** SHA-256, in hexadecimal, over all that decides which ids a text has; the same for the same tokenizer in any files. */
  public String hash() {
    return hash;
  }

  /** The ids of a text: {@link #maxLength()} of them, as {@link #tokenize} gives them. */
  public int[] encode(String text) {
    return tokenize(text).ids();
  }

  /** The ids of a text, and what of it did not fit. */
  public Encoding tokenize(String text) {
    List<Integer> tokens = tokens(text);
    int kept = Math.min(tokens.size(), maxLength - 2);
    int[] ids = new int[maxLength];
    Arrays.fill(ids, pad);
    ids[0] = start;
    for (int i = 0; i < kept; i++) {
      ids[i + 1] = tokens.get(i);
    }
    ids[kept + 1] = end;
    return new Encoding(ids, tokens.size(), decode(tokens.subList(kept, tokens.size())));
  }

  /** All tokens of a text, without start, end, padding or limit. */
  public List<Integer> tokens(String text) {
    List<Integer> ids = new ArrayList<>();
    int from = 0;
    // A special token spelled out in the raw text is that token, as in HuggingFace's tokenizer.
    for (int at = text.indexOf("<|"); at >= 0; at = text.indexOf("<|", at + 1)) {
      String token = text.startsWith(startToken, at) ? startToken : endToken;
      if (at >= from && text.startsWith(token, at)) {
        encodePlain(text.substring(from, at), ids);
        ids.add(token.equals(startToken) ? start : end);
        from = at + token.length();
      }
    }
    encodePlain(text.substring(from), ids);
    return ids;
  }

  /** The text that tokens spell: lower case, words separated by single blanks. */
  public String decode(List<Integer> ids) {
    StringBuilder spelling = new StringBuilder();
    for (int id : ids) {
      String token = spellings.get(id);
      if (token == null) {
        throw new InvalidInputException(
            "token id " + id + " is not in the vocabulary of " + vocabularySize + " tokens");
      }
      spelling.append(token);
    }
    // The blank is a byte of its own in the alphabet, so that split characters are joined first.
    String blank = String.valueOf(ByteAlphabet.of(' '));
    return ByteAlphabet.decode(spelling.toString().replace(BytePairs.END_OF_WORD, blank)).strip();
  }

  /** Id in front of every text. */
  public int start() {
    return start;
  }

  /** Id behind every text. */
  public int end() {
    return end;
  }

  /** Id that fills up to the length. */
  public int pad() {
    return pad;
  }

  /** Ids per text, start and end included. */
  public int maxLength() {
    return maxLength;
  }

  /** One more than the highest id: the rows that the text encoder's table must have. */
  public int vocabularySize() {
    return vocabularySize;
  }

  private void encodePlain(String text, List<Integer> ids) {
    for (String word : PreTokenizer.words(text)) {
      pairs.encode(word, ids);
    }
  }

  private static int special(Vocabulary vocabulary, String token) {
    Integer id = vocabulary.ids().get(token);
    if (id == null) {
      throw new InvalidInputException(
          vocabulary.source() + ": no token \"" + token + "\", which the tokenizer needs");
    }
    return id;
  }
}
