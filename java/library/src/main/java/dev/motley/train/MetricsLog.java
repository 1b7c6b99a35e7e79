// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.motley.ResourceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** {@code metrics.jsonl}: one JSON object per finished epoch. Lines past a resumed checkpoint are dropped. */
final class MetricsLog {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Path file;
  private final List<EpochMetrics> epochs = new ArrayList<>();

  /** Opens the log and keeps the epochs before {@code firstEpoch}; a torn last line is dropped. */
  MetricsLog(Path file, int firstEpoch) {
    this.file = file;
    if (Files.exists(file)) {
      for (String line : readLines()) {
        EpochMetrics metrics = parse(line);
        if (metrics == null || metrics.epoch() >= firstEpoch) {
          break;
        }
        epochs.add(metrics);
      }
    }
    write(String.join("", epochs.stream().map(MetricsLog::line).toList()), false);
  }

  void add(EpochMetrics metrics) {
    epochs.add(metrics);
    write(line(metrics), true);
  }

  List<EpochMetrics> epochs() {
    return List.copyOf(epochs);
  }

  private List<String> readLines() {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw new ResourceException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  private static EpochMetrics parse(String line) {
    try {
      return JSON.readValue(line, EpochMetrics.class);
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  private static String line(EpochMetrics metrics) {
    try {
      return JSON.writeValueAsString(metrics) + "\n";
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }

  private void write(String text, boolean append) {
    try {
      if (append) {
        Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      } else {
        Files.writeString(file, text);
      }
    } catch (IOException e) {
      throw new ResourceException("cannot write " + file + ": " + e.getMessage(), e);
    }
  }
}
