// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.testing.Mutations;
import dev.motley.testing.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Readers of checkpoints, given bytes that no program of good will wrote. */
class ForeignWeightsTest {
  private static final int ROUNDS = 1600;
  private static final long MOST_BYTES = 16 << 20;

  @TempDir private Path folder;

  @Test
  void safeTensors() throws IOException {
    Path file = folder.resolve("a.safetensors");
    SafeTensorsWriter.write(
        file,
        List.of(
            TensorView.ofFloats("conv.weight", new long[] {2, 1, 3, 3}, new float[18]),
            TensorView.ofFloats("conv.bias", new long[] {2}, new float[2]),
            TensorView.ofLongs("steps", new long[] {}, new long[] {7})),
        Map.of("format", "pt"));
    Mutations.check(
        Files.readAllBytes(file),
        ROUNDS,
        MOST_BYTES,
        bytes -> {
          Files.write(file, bytes);
          try (SafeTensors tensors = SafeTensors.open(file)) {
            for (TensorView tensor : tensors.tensors().values()) {
              tensor.data().remaining();
            }
          }
        });
  }

  @Test
  void configurations() throws IOException {
    Path model = Shared.repository().resolve("models/clothes");
    Path file = folder.resolve("config.json");
    check(model.resolve("unet/config.json"), file, UNetConfig::read);
    check(model.resolve("vae/config.json"), file, VaeConfig::read);
    check(model.resolve("text_encoder/config.json"), file, TextConfig::read);
    check(model.resolve("scheduler/scheduler_config.json"), file, SchedulerConfig::read);
  }

  private interface FileReader {
    Object read(Path file);
  }

  private static void check(Path valid, Path file, FileReader reader) throws IOException {
    Mutations.check(
        Files.readAllBytes(valid),
        ROUNDS / 4,
        MOST_BYTES,
        bytes -> {
          Files.write(file, bytes);
          reader.read(file);
        });
  }
}
