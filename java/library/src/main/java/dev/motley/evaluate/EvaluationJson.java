// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

import com.fasterxml.jackson.annotation.JsonGetter;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.motley.InvalidInputException;
import dev.motley.files.AtomicFile;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** The JSON of an evaluation. Derived numbers are written for readers and ignored when read. */
final class EvaluationJson {

  /** Raised whenever a reader of the older form would misread the newer one. */
  private static final int FORMAT = 1;

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS.mappedFeature())
          .addMixIn(Tally.class, WithAccuracy.class)
          .addMixIn(Scores.class, WithTotals.class)
          .build();

  private static final ObjectWriter WRITER = MAPPER.writer(printer());

  private EvaluationJson() {}

  private record Document(int format, Evaluation evaluation) {}

  @JsonIgnoreProperties(
      value = {"accuracy", "interval95"},
      allowGetters = true)
  @JsonPropertyOrder({"correct", "images", "accuracy", "interval95"})
  private interface WithAccuracy {
    @JsonGetter("accuracy")
    double accuracy();

    @JsonGetter("interval95")
    Interval interval();
  }

  @JsonIgnoreProperties(
      value = {"total", "perClass", "calibrationError"},
      allowGetters = true)
  @JsonPropertyOrder({
    "total", "topK", "topKTally", "calibrationError", "perClass", "confusion", "calibration", "worstMistakes"
  })
  private interface WithTotals {
    @JsonGetter("total")
    Tally total();

    @JsonGetter("perClass")
    List<Tally> perClass();

    @JsonGetter("calibrationError")
    double calibrationError();

    @JsonProperty
    int topK();
  }

  static String write(Evaluation evaluation) {
    try {
      return WRITER.writeValueAsString(new Document(FORMAT, evaluation)) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("records of numbers and strings always make JSON", e);
    }
  }

  static void write(Evaluation evaluation, Path file) {
    AtomicFile.write(file, write(evaluation));
  }

  static Evaluation read(Path file) {
    try {
      return read(Files.readString(file), file.toString());
    } catch (NoSuchFileException e) {
      throw new InvalidInputException("no evaluation at " + file, e);
    } catch (IOException e) {
      throw FileFailure.reading(file, e);
    }
  }

  static Evaluation read(String json, String source) {
    try {
      Document document = MAPPER.readValue(json, Document.class);
      if (document.format() != FORMAT) {
        throw new InvalidInputException(
            "%s has format %d: expected %d".formatted(source, document.format(), FORMAT));
      }
      return document.evaluation();
    } catch (JsonProcessingException e) {
      if (e.getCause() instanceof InvalidInputException invalid) {
        throw new InvalidInputException(source + ": " + invalid.getMessage(), e);
      }
      throw new InvalidInputException(
          "%s is not an evaluation: %s%s".formatted(source, reason(e), where(e)), e);
    }
  }

  /** Jackson's words, less the name of the feature that found the fault. */
  private static String reason(JsonProcessingException e) {
    return e.getOriginalMessage().lines().findFirst().orElse("").replaceFirst("; `.*", "");
  }

  private static String where(JsonProcessingException e) {
    if (e instanceof JsonMappingException mapping && !mapping.getPath().isEmpty()) {
      return mapping.getPath().stream()
          .map(at -> at.getFieldName() == null ? "[" + at.getIndex() + "]" : at.getFieldName())
          .collect(Collectors.joining(".", " (at ", ")"));
    }
    return e.getLocation() == null ? "" : " (line " + e.getLocation().getLineNr() + ")";
  }

  private static DefaultPrettyPrinter printer() {
    return new DefaultPrettyPrinter().withObjectIndenter(new DefaultIndenter("  ", "\n"));
  }
}
