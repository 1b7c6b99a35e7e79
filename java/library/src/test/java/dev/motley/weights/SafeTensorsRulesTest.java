// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Each attack file breaks one rule of the format; each must be refused in one line that names file
 * and key.
 */
class SafeTensorsRulesTest {
  @TempDir Path folder;

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          header_not_an_object         | 0 | []                                                                    | does not start with '{'
          header_starts_with_space     | 0 | ` {}`                                                                 | does not start with '{'
          header_unclosed              | 0 | {"a":                                                                 | not valid JSON
          header_rest_after_object     | 0 | {} {}                                                                 | text after its closing '}'
          tensor_not_an_object         | 4 | {"a":4}                                                               | "a" is not an object
          dtype_missing                | 4 | {"a":{"shape":[1],"data_offsets":[0,4]}}                              | "a" has no dtype
          shape_missing                | 4 | {"a":{"dtype":"F32","data_offsets":[0,4]}}                            | "a" has no shape
          offsets_missing              | 4 | {"a":{"dtype":"F32","shape":[1]}}                                     | "a" has no data_offsets
          dtype_unknown                | 4 | {"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}                | dtype "F33" is unknown
          dtype_wrong_case             | 4 | {"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}                | dtype "f32" is unknown
          dtype_not_a_string           | 4 | {"a":{"dtype":32,"shape":[1],"data_offsets":[0,4]}}                   | dtype "32" is unknown
          shape_not_a_list             | 4 | {"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}                  | shape is not a list
          shape_negative               | 4 | {"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}               | negative number -1
          shape_fraction               | 4 | {"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}              | holds "1.0", expected whole numbers
          shape_nested                 | 4 | {"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}              | expected whole numbers
          shape_overflow               | 4 | {"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}} | is impossible
          shape_overflow_by_type       | 4 | {"a":{"dtype":"F32","shape":[1152921504606846976],"data_offsets":[0,4]}} | is impossible
          shape_above_long             | 4 | {"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}} | larger than 2^63 - 1
          shape_half_byte              | 1 | {"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}                 | not a whole number of bytes
          offsets_not_two              | 4 | {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}              | has 3 numbers, expected 2
          offsets_backwards            | 4 | {"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}                | end before they begin
          offsets_negative             | 4 | {"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}               | negative number -4
          offsets_too_short            | 4 | {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}                | hold 4 bytes, but shape [2] of F32 needs 8
          offsets_too_long             | 8 | {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}                | hold 8 bytes, but shape [1] of F32 needs 4
          offsets_past_the_end         | 4 | {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}                | past the end of the data (4 bytes
          offsets_overlap              | 6 | {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}} | "b": data_offsets [2, 6] overlap
          offsets_shared               | 4 | {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}} | overlap
          hole_at_the_start            | 6 | {"a":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}                 | leave a hole of 2 bytes after 0
          hole_in_the_middle           | 9 | {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[5,9]}} | leave a hole of 1 bytes after 4
          rest_at_the_end              | 5 | {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}                 | 1 bytes after the last tensor
          rest_without_tensors         | 1 | {}                                                                    | 1 bytes after the last tensor
          duplicate_tensor             | 1 | {"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}} | "a" appears twice
          duplicate_tensor_by_escape   | 1 | {"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}} | "a" appears twice
          duplicate_field              | 1 | {"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}    | "a.dtype" appears twice
          duplicate_metadata           | 0 | {"__metadata__":{},"__metadata__":{}}                                 | "__metadata__" appears twice
          duplicate_metadata_key       | 0 | {"__metadata__":{"k":"1","k":"2"}}                                    | "__metadata__.k" appears twice
          metadata_not_an_object       | 0 | {"__metadata__":"pt"}                                                 | __metadata__ is not an object
          metadata_not_strings         | 0 | {"__metadata__":{"k":1}}                                              | __metadata__ "k" is not a string
          """)
  void refuses(String rule, int dataBytes, String header, String complaint) throws IOException {
    refused(RawFile.withHeader(folder, header, dataBytes), complaint);
  }

  @Test
  void header_length_above_100_million() throws IOException {
    refused(
        RawFile.withLength(folder, 100_000_001, new byte[16], 0),
        "header of 100000001 bytes, at most 100000000");
  }

  @Test
  void header_length_above_a_long() throws IOException {
    refused(
        RawFile.withLength(folder, -1, new byte[16], 0), "header of 18446744073709551615 bytes");
  }

  @Test
  void header_longer_than_the_file() throws IOException {
    refused(
        RawFile.withLength(folder, 17, "{}              ".getBytes(StandardCharsets.UTF_8), 0),
        "truncated?");
  }

  @Test
  void header_not_utf8() throws IOException {
    byte[] header = "{\"__metadata__\":{\"k\":\"?\"}}".getBytes(StandardCharsets.UTF_8);
    header[header.length - 4] = (byte) 0xff;
    refused(RawFile.withLength(folder, header.length, header, 0), "not valid UTF-8");
  }

  @Test
  void header_nested_without_end() throws IOException {
    refused(
        RawFile.withHeader(folder, "{\"a\":{\"x\":" + "[".repeat(100_000), 0), "not valid JSON");
  }

  /** The reference reader passes over fields that it does not know, so there may be many: time must not grow with their square. */
  @Test
  @Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void header_with_many_unknown_fields() throws IOException {
    var header = new StringBuilder("{\"a\":{");
    for (int i = 0; i < 500_000; i++) {
      header.append("\"f").append(i).append("\":0,");
    }
    header.append("\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}");
    try (SafeTensors file = SafeTensors.open(RawFile.withHeader(folder, header.toString(), 1))) {
      assertThat(file.names()).containsExactly("a");
    }
  }

  @Test
  void shape_of_too_many_dimensions() throws IOException {
    String most = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1" + ",1".repeat(63) + "],\"data_offsets\":[0,1]}}";
    try (SafeTensors file = SafeTensors.open(RawFile.withHeader(folder, most, 1))) {
      assertThat(file.tensor("a").shape()).hasSize(64);
    }
    String shape = "[1" + ",1".repeat(1_000_000) + "]";
    Path attack = RawFile.withHeader(folder, "{\"a\":{\"dtype\":\"U8\",\"shape\":" + shape + ",\"data_offsets\":[0,2]}}", 2);
    assertThatThrownBy(() -> SafeTensors.open(attack))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(attack + ": tensor \"a\": shape has more than 64 numbers");
  }

  @Test
  void file_too_short_for_a_length() throws IOException {
    refused(Files.write(folder.resolve("short.safetensors"), new byte[7]), "7 bytes are too few");
  }

  @Test
  void file_empty() throws IOException {
    refused(Files.write(folder.resolve("empty.safetensors"), new byte[0]), "0 bytes are too few");
  }

  @Test
  void file_missing() {
    refused(folder.resolve("missing.safetensors"), "no such file");
  }

  @Test
  void file_is_a_folder() {
    refused(folder, "is a folder");
  }

  @Test
  void message_stays_one_line_when_a_name_has_line_breaks() throws IOException {
    refused(
        RawFile.withHeader(folder, "{\"a\\n\\u001b[31mb\":4}", 0),
        "\"a\\u000a\\u001b[31mb\" is not an object");
  }

  /**
   * Any damage to a good file is either refused in one line or harmless; nothing else may come out.
   */
  @Test
  void random_damage_never_escapes() throws IOException {
    Path good = folder.resolve("good.safetensors");
    SafeTensorsWriter.write(
        good,
        Arrays.asList(
            TensorView.ofFloats("b.weight", new long[] {2, 3}, 1, 2, 3, 4, 5, 6),
            TensorView.ofLongs("a", new long[] {}, 7)),
        java.util.Map.of("format", "pt"));
    byte[] bytes = Files.readAllBytes(good);
    Random random = new Random(1);
    int refused = 0;
    for (int round = 0; round < 3000; round++) {
      byte[] damaged =
          Arrays.copyOf(
              bytes, random.nextInt(4) == 0 ? random.nextInt(bytes.length) : bytes.length);
      for (int hits = random.nextInt(4); hits >= 0 && damaged.length > 0; hits--) {
        damaged[random.nextInt(Math.min(damaged.length, 200))] = (byte) random.nextInt(256);
      }
      Path file = Files.write(folder.resolve("damaged.safetensors"), damaged);
      try (SafeTensors tensors = SafeTensors.open(file)) {
        assertThat(tensors.tensors().values())
            .allSatisfy(t -> assertThat(t.data().isReadOnly()).isTrue());
      } catch (InvalidInputException e) {
        refused++;
        assertThat(e.getMessage()).startsWith(file.toString()).doesNotContain("\n", "\r");
      }
    }
    assertThat(refused).isGreaterThan(2000);
  }

  private static void refused(Path file, String complaint) {
    assertThatThrownBy(() -> SafeTensors.open(file))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(complaint)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
  }
}
