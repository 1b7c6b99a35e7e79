// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.testing.Mutations;
import dev.motley.testing.Shared;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Readers of checkpoints, given bytes that no program of good will wrote. */
class ForeignWeightsTest {
  private static final int ROUNDS = 1600;
  private static final long MOST_BYTES = 16 << 20;

  private static final Path CHECKPOINTS =
      Shared.repository().resolve("java/library/src/test/resources/dev/motley/weights/ckpt");

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

  @Test
  void torchFiles() throws IOException {
    for (String name : List.of("lightning.ckpt", "lightning_protocol4.ckpt", "legacy.ckpt")) {
      check(CHECKPOINTS.resolve(name), folder.resolve("a.ckpt"), ForeignWeightsTest::readAll);
    }
  }

  /** A checkpoint's pickle alone, in an archive that is right: mutations of the archive seldom reach it. */
  @Test
  void pickles() throws IOException {
    byte[] pickle =
        new RawPickle()
            .ops("}(")
            .text("w")
            .tensor(0, new long[] {2, 2}, new long[] {2, 1})
            .op('q', 1)
            .text("v")
            .op('h', 1)
            .ops("u")
            .stop();
    Path file = folder.resolve("a.ckpt");
    Mutations.check(
        pickle,
        2 * ROUNDS,
        MOST_BYTES,
        bytes -> {
          Files.write(file, RawZip.of(bytes));
          readAll(file);
        });
  }

  @Test
  void indexes() throws IOException {
    Path index = folder.resolve("model.safetensors.index.json");
    for (String name : List.of("1", "2")) {
      SafeTensorsWriter.write(
          folder.resolve(name + ".safetensors"),
          List.of(TensorView.ofFloats(name, new long[] {2}, 1, 2)),
          Map.of());
    }
    Path valid = folder.resolve("valid.json");
    Files.writeString(
        valid,
        "{\"metadata\": {\"total_size\": 16}, \"weight_map\": {\"1\": \"1.safetensors\", \"2\": \"2.safetensors\"}}");
    check(valid, index, ForeignWeightsTest::readAll);
  }

  /** None is a whole checkpoint. */
  @Test
  void everyTruncationOfACheckpoint() throws IOException {
    for (String name : List.of("plain_state_dict.pt", "legacy.ckpt")) {
      Path file = Files.copy(CHECKPOINTS.resolve(name), folder.resolve(name));
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        for (long length = channel.size() - 1; length >= 0; length--) {
          channel.truncate(length);
          assertThatThrownBy(() -> TensorFile.open(file)).isInstanceOf(InvalidInputException.class);
        }
      }
    }
  }

  private static Path readAll(Path file) {
    try (TensorFile tensors = TensorFile.open(file)) {
      for (TensorView tensor : tensors.tensors().values()) {
        tensor.data().remaining();
      }
    }
    return file;
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
