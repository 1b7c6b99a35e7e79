// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.ProgressListener;
import dev.motley.testing.Shared;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointWriterTest {
  private static final Path MODEL = Shared.repository().resolve("models/clothes");

  @TempDir Path folder;

  @Test
  void keepsEveryBit() {
    try (Checkpoint model = Checkpoint.open(MODEL)) {
      new CheckpointWriter(model, Optional.empty(), ProgressListener.NONE).writeFolder(folder);
      try (Checkpoint copy = Checkpoint.open(folder)) {
        assertThat(hashes(copy)).isEqualTo(hashes(model));
        assertThat(copy.unetConfig()).isEqualTo(model.unetConfig());
        assertThat(copy.schedulerConfig()).isEqualTo(model.schedulerConfig());
      }
    }
  }

  /** Half precision fits into float32, so that the way back loses nothing. */
  @Test
  void widensAndComesBack() {
    try (Checkpoint model = Checkpoint.open(MODEL)) {
      new CheckpointWriter(model, Optional.of(DType.F32), ProgressListener.NONE).writeFolder(folder.resolve("wide"));
      try (Checkpoint wide = Checkpoint.open(folder.resolve("wide"))) {
        assertThat(wide.unet().dtypes()).containsOnlyKeys(DType.F32);
        assertThat(hashes(wide)).isNotEqualTo(hashes(model));
        new CheckpointWriter(wide, Optional.of(DType.F16), ProgressListener.NONE).writeFolder(folder.resolve("back"));
      }
      try (Checkpoint back = Checkpoint.open(folder.resolve("back"))) {
        assertThat(hashes(back)).isEqualTo(hashes(model));
      }
    }
  }

  @Test
  void aSingleFileHoldsOnlyV1() {
    try (Checkpoint model = Checkpoint.open(MODEL)) {
      assertThat(model.isV1()).isFalse();
      var writer = new CheckpointWriter(model, Optional.empty(), ProgressListener.NONE);
      Path file = folder.resolve("model.safetensors");
      assertThatThrownBy(() -> writer.writeSingle(file))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("other configurations than Stable Diffusion v1");
      assertThat(file).doesNotExist();
    }
  }

  @Test
  void aDamagedModelIsNotWritten() {
    Path file = folder.resolve("model.safetensors");
    SmallLdm.write(file, SmallLdm.tensors());
    try (Checkpoint model = Checkpoint.open(file)) {
      assertThatThrownBy(() -> new CheckpointWriter(model, Optional.empty(), ProgressListener.NONE))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageStartingWith(file + ": unet: ")
          .hasMessageContaining("expected")
          .hasMessageContaining("more");
    }
  }

  @Test
  void stopsWhereItIsTold() {
    try (Checkpoint model = Checkpoint.open(MODEL)) {
      var writer = new CheckpointWriter(model, Optional.empty(), progress -> false);
      assertThatThrownBy(() -> writer.writeFolder(folder)).isInstanceOf(CancelledException.class);
      assertThat(folder.resolve("unet")).isEmptyDirectory();
    }
  }

  private static Map<String, String> hashes(Checkpoint model) {
    var hashes = new java.util.TreeMap<String, String>();
    model.parts().forEach(part -> hashes.put(part.name(), ModelHash.of(part)));
    return hashes;
  }
}
