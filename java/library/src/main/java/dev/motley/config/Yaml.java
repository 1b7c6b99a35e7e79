// SPDX-License-Identifier: Apache-2.0
package dev.motley.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.motley.InvalidInputException;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.yaml.snakeyaml.error.MarkedYAMLException;

/** YAML files as trees of maps, lists, texts, numbers and booleans. */
public final class Yaml {

  /** A config that people write has a few thousand; more is another kind of file. */
  private static final long MAX_BYTES = 1 << 24;

  private static final YAMLMapper MAPPER =
      YAMLMapper.builder(
              YAMLFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                  .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
                  .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private Yaml() {}

  /**
   * Reads a file that holds one map.
   *
   * @throws InvalidInputException naming the file, and the line where it is not YAML in UTF-8
   * @throws dev.motley.ResourceException if it cannot be read
   */
  public static Map<String, Object> read(Path file) {
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw new InvalidInputException(
            file + ": larger than " + MAX_BYTES + " bytes, not a configuration");
      }
      return read(file.toString(), Files.readAllBytes(file));
    } catch (IOException e) {
      throw FileFailure.reading(file, e);
    }
  }

  /** Reads one map; an error names {@code what} was read. */
  public static Map<String, Object> read(String what, byte[] yaml) {
    try {
      String text = decode(what, yaml);
      Object tree = MAPPER.readTree(text).isMissingNode() ? null : MAPPER.readValue(text, Object.class);
      if (tree instanceof Map<?, ?> map) {
        var named = new LinkedHashMap<String, Object>();
        map.forEach((key, value) -> named.put(String.valueOf(key), value));
        return named;
      }
      String found =
          switch (tree) {
            case null -> "nothing";
            case List<?> _ -> "a list";
            default -> "a single value";
          };
      throw new InvalidInputException(
          what + ", line 1: expected a map of keys and values, found " + found);
    } catch (JsonProcessingException e) {
      throw new InvalidInputException(what + ", line " + line(e) + ": " + reason(e), e);
    } catch (IndexOutOfBoundsException | NegativeArraySizeException | ClassCastException e) {
      // the parser's own faults, on input that no one writes
      throw new InvalidInputException(what + ", line 1: not YAML that can be read", e);
    }
  }

  /** Strictly, so that no letter of a prompt turns into another unseen. */
  private static String decode(String what, byte[] bytes) {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    var in = ByteBuffer.wrap(bytes);
    var out = CharBuffer.allocate(bytes.length + 1);
    CoderResult result = decoder.decode(in, out, true);
    if (result.isError()) {
      long line = 1 + out.flip().chars().filter(c -> c == '\n').count();
      throw new InvalidInputException(
          "%s, line %d: not valid UTF-8 (byte 0x%02x)".formatted(what, line, bytes[in.position()]));
    }
    return out.flip().toString();
  }

  private static int line(JsonProcessingException e) {
    if (e.getCause() instanceof MarkedYAMLException marked && marked.getProblemMark() != null) {
      return marked.getProblemMark().getLine() + 1;
    }
    return e.getLocation() == null ? 1 : Math.max(1, e.getLocation().getLineNr());
  }

  private static String reason(JsonProcessingException e) {
    if (e.getCause() instanceof MarkedYAMLException marked && marked.getProblem() != null) {
      String problem = marked.getProblem();
      return problem.contains("(TAB)") ? "a tab where YAML wants spaces" : Names.printable(problem);
    }
    String text = Names.printable(e.getOriginalMessage().lines().findFirst().orElse("not YAML"));
    return text.startsWith("Duplicate field")
        ? text.replaceFirst("Duplicate field", "duplicate key")
        : text.replaceFirst("^Trailing token .*", "a second document, expected one");
  }

  /** A tree as text that {@link #read(Path)} reads back equal. */
  public static String write(Map<String, Object> tree) {
    try {
      return MAPPER.writeValueAsString(tree);
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }
}
