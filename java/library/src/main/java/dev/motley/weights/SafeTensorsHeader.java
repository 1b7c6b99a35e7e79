// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import dev.motley.InvalidInputException;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The JSON header of a safetensors file, parsed and validated by the rules of the format
 * (github.com/huggingface/safetensors, README "Format" and tensor.rs): the data section is covered
 * exactly, in order, with no hole, overlap or rest, and every range has the size that its shape and
 * type ask for.
 *
 * @param entries tensors by name, in the order of their data
 * @param metadata the string map __metadata__
 */
record SafeTensorsHeader(Map<String, Entry> entries, Map<String, String> metadata) {

  /** Where a tensor lies: bytes [begin, end) of the data section. */
  record Entry(DType dtype, long[] shape, long begin, long end) {}

  private static final JsonFactory JSON = new JsonFactory();
  private static final String METADATA = "__metadata__";

  /** Of any tensor that PyTorch can make. */
  private static final int MAX_RANK = 64;

  /**
   * Parses the header text.
   *
   * @param file the file's name, for messages
   * @param dataBytes length of the data section
   */
  static SafeTensorsHeader parse(String file, String json, long dataBytes) {
    if (!json.startsWith("{")) {
      throw bad(file, "header does not start with '{'");
    }
    Map<String, Entry> entries = new LinkedHashMap<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    try (JsonParser parser = JSON.createParser(json)) {
      parser.nextToken();
      boolean metadataSeen = false;
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        if (name.equals(METADATA)) {
          if (metadataSeen) {
            throw duplicate(file, METADATA);
          }
          metadataSeen = true;
          readMetadata(file, parser, metadata);
        } else if (entries.put(name, readEntry(file, name, parser)) != null) {
          throw duplicate(file, name);
        }
      }
      if (parser.nextToken() != null) {
        throw bad(file, "header has text after its closing '}'");
      }
    } catch (JsonProcessingException e) {
      throw bad(file, "header is not valid JSON: " + firstLine(e.getOriginalMessage()));
    } catch (IOException e) {
      throw bad(file, "header is not valid JSON: " + FileFailure.reason(e));
    }
    return new SafeTensorsHeader(inDataOrder(file, entries, dataBytes), metadata);
  }

  private static void readMetadata(String file, JsonParser parser, Map<String, String> metadata)
      throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw bad(file, METADATA + " is not an object of strings");
    }
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      if (parser.nextToken() != JsonToken.VALUE_STRING) {
        throw bad(file, METADATA + " " + Quote.of(key) + " is not a string");
      }
      if (metadata.put(key, parser.getText()) != null) {
        throw duplicate(file, METADATA + "." + key);
      }
    }
  }

  private static Entry readEntry(String file, String name, JsonParser parser) throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw bad(
          file,
          "tensor " + Quote.of(name) + " is not an object with dtype, shape and data_offsets");
    }
    Optional<DType> dtype = Optional.empty();
    Optional<long[]> shape = Optional.empty();
    Optional<long[]> offsets = Optional.empty();
    Set<String> seen = new HashSet<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String field = parser.currentName();
      if (!seen.add(field)) {
        throw duplicate(file, name + "." + field);
      }
      JsonToken value = parser.nextToken();
      switch (field) {
        case "dtype" -> dtype = Optional.of(readDType(file, name, parser, value));
        case "shape" -> shape = Optional.of(readLongs(file, name, field, parser, value));
        case "data_offsets" -> offsets = Optional.of(readLongs(file, name, field, parser, value));
        default ->
            parser.skipChildren(); // the reference reader ignores fields that it does not know
      }
    }
    String missing =
        dtype.isEmpty()
            ? "dtype"
            : shape.isEmpty() ? "shape" : offsets.isEmpty() ? "data_offsets" : "";
    if (!missing.isEmpty()) {
      throw bad(file, "tensor " + Quote.of(name) + " has no " + missing);
    }
    long[] range = offsets.orElseThrow();
    if (range.length != 2) {
      throw bad(
          file,
          "tensor "
              + Quote.of(name)
              + ": data_offsets has "
              + range.length
              + " numbers, expected 2");
    }
    return new Entry(dtype.orElseThrow(), shape.orElseThrow(), range[0], range[1]);
  }

  private static DType readDType(String file, String name, JsonParser parser, JsonToken value)
      throws IOException {
    String text = parser.getText();
    return Optional.of(text)
        .filter(t -> value == JsonToken.VALUE_STRING)
        .flatMap(DType::named)
        .orElseThrow(
            () ->
                bad(
                    file,
                    "tensor "
                        + Quote.of(name)
                        + ": dtype "
                        + Quote.of(text)
                        + " is unknown; expected one of "
                        + Arrays.toString(DType.values())));
  }

  private static long[] readLongs(
      String file, String name, String field, JsonParser parser, JsonToken value)
      throws IOException {
    String where = "tensor " + Quote.of(name) + ": " + field;
    if (value != JsonToken.START_ARRAY) {
      throw bad(file, where + " is not a list of numbers");
    }
    long[] numbers = new long[4];
    int count = 0;
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
        throw bad(
            file, where + " holds " + Quote.of(parser.getText()) + ", expected whole numbers");
      }
      if (count == MAX_RANK) {
        throw bad(file, where + " has more than " + MAX_RANK + " numbers");
      }
      if (count == numbers.length) {
        numbers = Arrays.copyOf(numbers, 2 * count);
      }
      try {
        numbers[count] = parser.getLongValue();
      } catch (InputCoercionException e) {
        throw bad(file, where + " holds " + Quote.of(parser.getText()) + ", larger than 2^63 - 1");
      }
      if (numbers[count++] < 0) {
        throw bad(file, where + " holds the negative number " + numbers[count - 1]);
      }
    }
    return Arrays.copyOf(numbers, count);
  }

  /** Checks sizes and coverage; returns the entries sorted by their place in the data section. */
  private static Map<String, Entry> inDataOrder(
      String file, Map<String, Entry> entries, long dataBytes) {
    List<Map.Entry<String, Entry>> sorted = new ArrayList<>(entries.entrySet());
    sorted.sort(
        Comparator.comparingLong((Map.Entry<String, Entry> e) -> e.getValue().begin())
            .thenComparingLong(e -> e.getValue().end()));
    Map<String, Entry> ordered = new LinkedHashMap<>();
    long covered = 0;
    for (Map.Entry<String, Entry> item : sorted) {
      Entry entry = item.getValue();
      String where =
          "tensor "
              + Quote.of(item.getKey())
              + ": data_offsets ["
              + entry.begin()
              + ", "
              + entry.end()
              + "]";
      checkSize(file, where, entry);
      if (entry.end() > dataBytes) {
        throw bad(
            file,
            where + " reach past the end of the data (" + dataBytes + " bytes; truncated file?)");
      }
      if (entry.begin() < covered) {
        throw bad(file, where + " overlap the tensor before, which ends at " + covered);
      }
      if (entry.begin() > covered) {
        throw bad(
            file,
            where + " leave a hole of " + (entry.begin() - covered) + " bytes after " + covered);
      }
      covered = entry.end();
      ordered.put(item.getKey(), entry);
    }
    if (covered != dataBytes) {
      throw bad(file, (dataBytes - covered) + " bytes after the last tensor belong to no tensor");
    }
    return ordered;
  }

  private static void checkSize(String file, String where, Entry entry) {
    if (entry.end() < entry.begin()) {
      throw bad(file, where + " end before they begin");
    }
    String shape = "shape " + Arrays.toString(entry.shape()) + " of " + entry.dtype();
    try {
      long needed = entry.dtype().bytes(entry.shape());
      if (needed != entry.end() - entry.begin()) {
        throw bad(
            file,
            where
                + " hold "
                + (entry.end() - entry.begin())
                + " bytes, but "
                + shape
                + " needs "
                + needed);
      }
    } catch (ArithmeticException e) {
      throw bad(file, where + ": the size of " + shape + " is impossible: " + e.getMessage());
    }
  }

  private static InvalidInputException duplicate(String file, String key) {
    return bad(file, "key " + Quote.of(key) + " appears twice in the header");
  }

  private static InvalidInputException bad(String file, String what) {
    return new InvalidInputException(file + ": " + what);
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse("");
  }
}
