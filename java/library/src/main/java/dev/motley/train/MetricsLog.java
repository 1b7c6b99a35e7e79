// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.motley.ResourceException;
import dev.motley.files.AtomicFile;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** {@code metrics.jsonl}: one JSON object per finished epoch. Lines past a resumed checkpoint go when the next epoch is added. */
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
  }

  void add(EpochMetrics metrics) {
    epochs.add(metrics);
    AtomicFile.write(file, epochs.stream().map(MetricsLog::line).collect(Collectors.joining()));
  }

  List<EpochMetrics> epochs() {
    return List.copyOf(epochs);
  }

  private List<String> readLines() {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw new ResourceException("cannot read " + file + ": " + FileFailure.reason(e), e);
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
}
