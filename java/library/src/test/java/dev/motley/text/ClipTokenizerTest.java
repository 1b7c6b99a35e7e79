// SPDX-License-Identifier: Apache-2.0
package dev.motley.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.motley.InvalidInputException;
import dev.motley.testing.Shared;
import dev.motley.weights.Checkpoint;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClipTokenizerTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir static Path clip;
  private static ClipTokenizer tokenizer;

  record Row(String text, List<Integer> ids) {
    @Override
    public String toString() {
      return text.codePoints()
          .limit(40)
          .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
          .toString();
    }
  }

  @BeforeAll
  static void writeVocabulary() {
    ClipTokenizer.writeBuiltIn(clip);
    tokenizer = ClipTokenizer.builtIn();
  }

  @Test
  void theBuiltInFilesAreTheBuiltInTokenizer() {
    assertThat(ClipTokenizer.load(clip).hash()).isEqualTo(tokenizer.hash()).isNotEqualTo(small().hash());
    assertThat(clip.resolve("LICENSE.txt")).content().contains("MIT License", "OpenAI");
  }

  @ParameterizedTest
  @MethodSource
  void givesTheIdsOfTransformers(Row row) {
    assertThat(tokenizer.encode(row.text())).containsExactly(row.ids().toArray(Integer[]::new));
  }

  static List<Row> givesTheIdsOfTransformers() throws IOException {
    return rows("golden_tokenizer.json", "rows", "ids");
  }

  @ParameterizedTest
  @MethodSource
  void givesThePublishedIds(Row row) {
    assertThat(tokenizer.tokens(row.text())).isEqualTo(row.ids());
  }

  static List<Row> givesThePublishedIds() throws IOException {
    return rows("golden_published.json", "cases", "ids");
  }

  @Test
  void readsTheSpecialTokens() {
    assertThat(tokenizer.start()).isEqualTo(49406);
    assertThat(tokenizer.end()).isEqualTo(49407);
    assertThat(tokenizer.pad()).isEqualTo(49407);
    assertThat(tokenizer.maxLength()).isEqualTo(77);
    assertThat(tokenizer.vocabularySize()).isEqualTo(49408);
    assertThat(tokenizer.tokens("a<|endoftext|>b<|startoftext|>"))
        .containsExactly(320, 49407, 321, 49406);
    assertThat(tokenizer.tokens("<|<|endoftext|>")).containsExactly(27, 347, 49407).hasSize(3);
  }

  /** Only the exact spelling is special; in capitals it is text, cut as the reference cuts it. */
  @Test
  void specialTokensInCapitalsArePlainText() {
    assertThat(tokenizer.tokens("<|ENDOFTEXT|>!")).isEqualTo(tokenizer.tokens("<| endoftext |> !"));
  }

  @Test
  void tellsWhatWasCut() {
    Encoding fits = tokenizer.tokenize("word ".repeat(75));
    assertThat(fits.truncated()).isFalse();
    assertThat(fits.tokens()).isEqualTo(75);
    Encoding cut = tokenizer.tokenize("Word ".repeat(74) + "ankle boot, émigré 靴!");
    assertThat(cut.truncated()).isTrue();
    assertThat(cut.cut()).isEqualTo("boot , émigré 靴 !");
    assertThat(cut.ids()).hasSize(77).endsWith(tokenizer.tokens("ankle").get(0), 49407);
  }

  @ParameterizedTest
  @CsvSource({"0x03a3, 0x03c3", "0x0130, 0x0069", "0x00c9, 0x00e9", "0x01c5, 0x01c6"})
  void lowersCaseSignBySign(String upper, String lower) {
    String capital = "ο" + Character.toString(Integer.decode(upper));
    assertThat(PreTokenizer.words(capital).get(0))
        .isEqualTo("ο" + Character.toString(Integer.decode(lower)));
  }

  @Test
  void cutsWordsAsTheReferenceDoes() {
    assertThat(PreTokenizer.words("It's  they'll!!'start\u3000x\u00a0½Ⅷ12\u200b'"))
        .containsExactly(
            "it", "'s", "they", "'ll", "!!'", "start", "x", "½", "ⅷ", "1", "2", "\u200b'");
    assertThat(PreTokenizer.words("e\u0301")).containsExactly("é");
    assertThat(PreTokenizer.words(" \t\n")).isEmpty();
  }

  /** A repeated search for the best pair would take hours for this word. */
  @Test
  @Timeout(60)
  void aVeryLongWordTakesNoQuadraticTime() {
    assertThat(tokenizer.tokens("ab".repeat(200_000))).hasSizeBetween(10_000, 200_000);
  }

  @Test
  void decodesWhatItEncodes() {
    assertThat(tokenizer.decode(tokenizer.tokens("An IMAGE of a naïve 靴")))
        .isEqualTo("an image of a naïve 靴");
    assertThatThrownBy(() -> tokenizer.decode(List.of(49408)))
        .hasMessageContaining("token id 49408");
  }

  @Test
  void readsTheSmallModelsVocabulary() {
    ClipTokenizer small = small();
    assertThat(small.start()).isEqualTo(3512);
    assertThat(small.end()).isEqualTo(3513);
    assertThat(small.pad()).isEqualTo(3513);
    assertThat(small.vocabularySize()).isEqualTo(3514);
    int[] ids = small.encode("an image of an ankle boot");
    assertThat(ids).hasSize(77).startsWith(3512).endsWith(3513);
    assertThat(small.decode(small.tokens("an image of an ankle boot")))
        .isEqualTo("an image of an ankle boot");
  }

  @Test
  void bothLayoutsOfTheFilesGiveTheSameIds() throws IOException {
    ClipTokenizer single = ClipTokenizer.load(Shared.path("golden/checkpoint_v5/tokenizer"));
    ClipTokenizer classic = small();
    for (Row row : rows("golden_tokenizer.json", "rows", "ids")) {
      assertThat(single.encode(row.text())).isEqualTo(classic.encode(row.text()));
    }
    assertThat(single.hash()).isEqualTo(classic.hash());
  }

  @Test
  void theDerivedVocabularyIsThePublishedOne() throws IOException {
    assertThat(JSON.readTree(clip.resolve("vocab.json").toFile()))
        .isEqualTo(JSON.readTree(Shared.path("data/clip/vocab.json").toFile()));
  }

  @ParameterizedTest(name = "{1}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          merges.txt            | #version: 0.2\\na b c    | line 2 is "a b c"; expected two tokens
          merges.txt            | qzqz xx                  | no token "qzqz", but merge 1 is "qzqz xx"
          vocab.json            | [1]                      | holds no object of tokens and ids
          vocab.json            | {"a": -1}                | a is "-1"; expected an id
          vocab.json            | {"a": 1.5}               | a is "1.5"; expected an id
          vocab.json            | {"a": 1}                 | no token "Ā", but every byte has a token
          vocab.json            | {"a": 1,                 | not valid JSON
          vocab.json            | {"a": 1, "a": 1}         | Duplicate
          tokenizer_config.json | {"bos_token": "<s>"}     | no token "<s>", which the tokenizer needs
          tokenizer_config.json | {"model_max_length": 2}  | model_max_length is "2"; expected at least 3
          """)
  void refusesDamagedFiles(String file, String text, String complaint, @TempDir Path folder)
      throws IOException {
    Path original = Shared.repository().resolve("models/clothes/tokenizer");
    for (String name : List.of("vocab.json", "merges.txt", "tokenizer_config.json")) {
      Files.copy(original.resolve(name), folder.resolve(name));
    }
    Files.writeString(folder.resolve(file), text.replace("\\n", "\n"));
    assertThatThrownBy(() -> ClipTokenizer.load(folder))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(folder.toString())
        .hasMessageContaining(complaint)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
  }

  /** A folder without a tokenizer means CLIP's own, which another text encoder does not take. */
  @Test
  void aSmallVocabularyNeedsItsOwnTokenizer(@TempDir Path folder) throws IOException {
    Path original = Shared.repository().resolve("models/clothes");
    try (var files = Files.walk(original)) {
      for (Path file : files.filter(path -> Files.isRegularFile(path) && !path.toString().contains("tokenizer")).toList()) {
        Path target = folder.resolve(original.relativize(file).toString());
        Files.createDirectories(target.getParent());
        Files.copy(file, target);
      }
    }
    try (Checkpoint model = Checkpoint.open(folder); Checkpoint whole = Checkpoint.open(original)) {
      assertThat(ClipTokenizer.of(whole).hash()).isEqualTo(small().hash());
      assertThatThrownBy(() -> ClipTokenizer.of(model))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage(folder + ": no tokenizer/ folder, and a text encoder of 3,514 tokens does not take CLIP's own tokenizer of 49,408");
    }
  }

  private static void copyModel(Path folder) throws IOException {
    Path original = Shared.repository().resolve("models/clothes");
    try (var files = Files.walk(original)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = folder.resolve(original.relativize(file).toString());
        Files.createDirectories(target.getParent());
        Files.copy(file, target);
      }
    }
  }

  /** Old files state 10^30; larger limits than the encoder's are no limit. */
  @ParameterizedTest
  @ValueSource(strings = {"{}", "{\"model_max_length\": 1e30}", "{\"model_max_length\": 128}", "{\"model_max_length\": 65536}"})
  void aModelTakesAsManyIdsAsItsEncoder(String config, @TempDir Path folder) throws IOException {
    copyModel(folder);
    Files.writeString(folder.resolve("tokenizer/tokenizer_config.json"), config);
    try (Checkpoint model = Checkpoint.open(folder)) {
      ClipTokenizer fitting = ClipTokenizer.of(model);
      assertThat(fitting.hash()).isEqualTo(small().hash());
      int[] ids = fitting.encode("dress ".repeat(100));
      assertThat(ids).hasSize(model.textConfig().positions()).endsWith(fitting.end());
      assertThat(fitting.tokenize("dress ".repeat(100)).truncated()).isTrue();
    }
  }

  @Test
  void aTokenizerThatDoesNotFitItsEncoderIsRefused(@TempDir Path folder) throws IOException {
    copyModel(folder);
    Path config = folder.resolve("tokenizer/tokenizer_config.json");
    String before = Files.readString(config);
    Files.writeString(config, "{\"model_max_length\": 40}");
    try (Checkpoint model = Checkpoint.open(folder)) {
      assertThatThrownBy(() -> ClipTokenizer.of(model))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage(config + ": model_max_length is 40, expected at least the 77 of the text encoder's max_position_embeddings");
      Files.writeString(config, before);
      Path vocabulary = folder.resolve("tokenizer/vocab.json");
      Files.writeString(vocabulary, Files.readString(vocabulary).strip().replaceFirst("\\}$", ", \"<new>\": 3514}"));
      assertThatThrownBy(() -> ClipTokenizer.of(model))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage(vocabulary + ": has ids up to 3514, the text encoder's vocab_size is 3514");
    }
  }

  @Test
  void refusesTwoTokensOfOneId(@TempDir Path folder) throws IOException {
    Path original = Shared.repository().resolve("models/clothes/tokenizer");
    Files.copy(original.resolve("merges.txt"), folder.resolve("merges.txt"));
    Files.writeString(
        folder.resolve("vocab.json"),
        Files.readString(original.resolve("vocab.json"))
            .replace("\"<|endoftext|>\": 3513", "\"<|endoftext|>\": 3512"));
    assertThatThrownBy(() -> ClipTokenizer.load(folder))
        .hasMessageContaining("id 3512 belongs to two tokens");
  }

  @Test
  void namesWhatIsMissing(@TempDir Path folder) {
    assertThatThrownBy(() -> ClipTokenizer.load(folder))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            folder + ": no tokenizer, expected vocab.json and merges.txt, or tokenizer.json");
    assertThatThrownBy(() -> ClipTokenizer.load(folder.resolve("no")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("no such tokenizer folder");
  }

  private static ClipTokenizer small() {
    return ClipTokenizer.load(Shared.repository().resolve("models/clothes/tokenizer"));
  }

  private static List<Row> rows(String name, String list, String key) throws IOException {
    List<Row> rows = new ArrayList<>();
    try (InputStream in = resource(name)) {
      for (JsonNode row : JSON.readTree(in).get(list)) {
        rows.add(
            new Row(
                row.get("text").asText(),
                row.get(key).valueStream().map(JsonNode::asInt).toList()));
      }
    }
    assertThat(rows).isNotEmpty();
    return rows;
  }

  private static InputStream resource(String name) {
    return java.util.Objects.requireNonNull(
        ClipTokenizerTest.class.getResourceAsStream(name), name);
  }
}
