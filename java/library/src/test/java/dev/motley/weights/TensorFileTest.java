// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Opening weights whatever their format, and safetensors in several files. */
class TensorFileTest {
  @TempDir Path folder;
  private Path index;

  @BeforeEach
  void writeShards() throws IOException {
    index = folder.resolve("model.safetensors.index.json");
    shard("1.safetensors", "a", "b");
    shard("2.safetensors", "c");
  }

  @Test
  void theFormatIsToldByWhatAFileHolds() throws IOException {
    Path safetensors = Files.move(folder.resolve("2.safetensors"), folder.resolve("weights.ckpt"));
    Path zip = folder.resolve("zip.safetensors");
    Files.write(zip, RawZip.of(new RawPickle().ops("}").text("w").tensor(0, new long[] {4}, new long[] {1}).ops("s").stop()));
    try (TensorFile one = TensorFile.open(safetensors);
        TensorFile two = TensorFile.open(zip)) {
      assertThat(one).isInstanceOf(SafeTensors.class);
      assertThat(one.file()).isEqualTo(safetensors);
      assertThat(two).isInstanceOf(TorchFile.class);
      assertThat(two.tensors()).containsOnlyKeys("w");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          a.ckpt        | ''                                                 | is empty
          a.ckpt        | '<!DOCTYPE html><html>'                            | is a web page
          a.safetensors | ' <html>404</html>'                                | is a web page
          a.safetensors | 'version https://git-lfs.github.com/spec/v1 oid'   | is a Git LFS pointer
          a.ckpt        | '{"weight_map": {}}'                               | is none of the known formats
          a.safetensors | 'garbage, but long enough'                         | is it a safetensors file?
          a.index.json  | '{"weight_map": {}}'                               | weight_map is missing or empty
          a.index.json  | '[]'                                               | is none of the known formats
          """)
  void saysWhatAFileIsInstead(String name, String content, String complaint) throws IOException {
    refused(Files.writeString(folder.resolve(name), content), complaint);
  }

  @Test
  void foldersAndMissingFiles() {
    refused(folder, "is a folder");
    refused(folder.resolve("absent.ckpt"), "no such file");
  }

  @Test
  void shardsAreReadThroughTheirIndex() throws IOException {
    index(
        """
        {"metadata": {"total_size": 12},
         "weight_map": {"c": "2.safetensors", "a": "1.safetensors", "b": "1.safetensors"}}
        """);
    Path variant = Files.copy(index, folder.resolve("model.safetensors.index.fp16.json"));
    try (TensorFile half = TensorFile.open(variant)) {
      assertThat(half.names()).hasSize(3);
    }
    TensorFile file = TensorFile.open(index);
    assertThat(file).isInstanceOf(ShardedTensors.class);
    assertThat(file.file()).isEqualTo(index);
    assertThat(file.names()).containsExactly("c", "a", "b");
    assertThat(file.tensor("b").toFloats()).containsExactly('b');
    assertThat(file.tensor("c").toFloats()).containsExactly('c');
    assertThatThrownBy(() -> file.tensor("d")).isInstanceOf(InvalidInputException.class).hasMessage(index + ": no tensor \"d\"");
    file.close();
    assertThatThrownBy(() -> file.tensor("b")).isInstanceOf(IllegalStateException.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"weight_map":{"a":"1.safetensors","b":"1.safetensors","c":"3.safetensors"}} | file 3.safetensors is missing, which holds tensor "c"
          {"weight_map":{"a":"1.safetensors","b":"1.safetensors","d":"1.safetensors"}} | tensor "d" is not in its file
          {"weight_map":{"a":"1.safetensors"}}                                         | tensor "b" of 1.safetensors is not in the index
          {"weight_map":{"a":"1.safetensors","a":"1.safetensors"}}                     | not valid JSON: Duplicate field 'a'
          {"weight_map":{"a":"../1.safetensors"}}                                      | expected the name of a file beside the index
          {"weight_map":{"a":"/etc/passwd"}}                                           | expected the name of a file beside the index
          {"weight_map":{"a":".."}}                                                    | expected the name of a file beside the index
          {"weight_map":{"a":"x\\\\1.safetensors"}}                                    | expected the name of a file beside the index
          {"weight_map":{"a":"1\\u0000.safetensors"}}                                  | expected the name of a file beside the index
          {"weight_map":{"a":"C:1.safetensors"}}                                       | expected the name of a file beside the index
          {"weight_map":{"a":""}}                                                      | expected the name of a file beside the index
          {"weight_map":{"a":1}}                                                       | expected the name of a file beside the index
          {"weight_map":["1.safetensors"]}                                             | weight_map is missing or empty
          {"weight_map":                                                               | not valid JSON
          """)
  void indexesThatAreWrong(String json, String complaint) throws IOException {
    index(json);
    refused(index, complaint);
  }

  @Test
  void shardsMayBePickles() throws IOException {
    byte[] pickle = new RawPickle().ops("}").text("p").tensor(0, new long[] {4}, new long[] {1}).ops("s").stop();
    Files.write(folder.resolve("pytorch_model-1-of-1.bin"), RawZip.of(pickle));
    Path pickles = folder.resolve("pytorch_model.bin.index.json");
    Files.writeString(pickles, "{\"weight_map\": {\"p\": \"pytorch_model-1-of-1.bin\", \"c\": \"2.safetensors\"}}");
    try (TensorFile file = TensorFile.open(pickles)) {
      assertThat(file.tensor("p").toFloats()).containsExactly(0, 1, 2, 3);
      assertThat(file.tensor("c").toFloats()).containsExactly('c');
    }
  }

  @Test
  void anIndexOfItself() throws IOException {
    index("{\"weight_map\":{\"a\":\"" + index.getFileName() + "\"}}");
    refused(index, "file model.safetensors.index.json is an index, too, expected tensors");
  }

  @Test
  void aTensorInTwoShards() throws IOException {
    shard("2.safetensors", "c", "a");
    index(
        """
        {"weight_map": {"a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors"}}
        """);
    refused(index, "tensor \"a\" is in two files, 1.safetensors and 2.safetensors");
  }

  @Test
  void aDamagedShardIsNamed() throws IOException {
    Files.write(folder.resolve("2.safetensors"), new byte[3]);
    index("{\"weight_map\":{\"c\":\"2.safetensors\"}}");
    refused(index, "2.safetensors: 3 bytes are too few");
  }

  private void shard(String name, String... tensors) throws IOException {
    List<TensorView> views =
        List.of(tensors).stream().map(t -> TensorView.ofFloats(t, new long[] {1}, t.charAt(0))).toList();
    SafeTensorsWriter.write(folder.resolve(name), views, Map.of());
  }

  private void index(String json) throws IOException {
    Files.write(index, json.getBytes(StandardCharsets.UTF_8));
  }

  private static void refused(Path file, String complaint) {
    assertThatThrownBy(() -> TensorFile.open(file))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(complaint)
        .satisfies(e -> assertThat(e.getMessage().lines()).hasSize(1));
  }
}
