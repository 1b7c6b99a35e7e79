// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.ProgressListener;
import dev.motley.testing.Shared;
import dev.motley.text.ClipTokenizer;
import dev.motley.weights.Checkpoint;
import dev.motley.weights.Ema;
import dev.motley.weights.ModelHash;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelConverterTest {
  private static final Path MODEL = Shared.repository().resolve("models/clothes");

  @TempDir Path folder;

  private static void convert(Path model, Path out, boolean replace, ProgressListener listener) {
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      ModelConverter.convert(checkpoint, ModelConverter.Layout.DIFFUSERS, out, Optional.empty(), replace, listener);
    }
  }

  private static String hash(Path model) {
    try (Checkpoint checkpoint = Checkpoint.open(model, Ema.AS_GIVEN)) {
      var hashes = new TreeMap<String, String>();
      checkpoint.parts().forEach(part -> hashes.put(part.name(), ModelHash.of(part)));
      return ModelHash.of(hashes, checkpoint, ClipTokenizer.of(checkpoint).hash()).whole();
    }
  }

  @Test
  void theCopyIsTheSameModel() throws IOException {
    Path out = folder.resolve("new/copy");
    Path source = folder.resolve("source");
    CheckpointFormsTest.copy(MODEL, source);
    Files.createDirectories(source.resolve("feature_extractor"));
    Files.writeString(source.resolve("feature_extractor/preprocessor_config.json"), "{}");
    convert(source, out, false, ProgressListener.NONE);
    assertThat(hash(out)).isEqualTo(hash(MODEL));
    assertThat(out.resolve("feature_extractor/preprocessor_config.json")).exists();
    assertThat(folder.resolve("new")).isDirectoryNotContaining(path -> !path.equals(out));
  }

  @Test
  void nothingIsReplacedUnasked() throws IOException {
    Path out = folder.resolve("copy");
    convert(MODEL, out, false, ProgressListener.NONE);
    Files.writeString(out.resolve("unet/extra"), "old");
    assertThatThrownBy(() -> convert(MODEL, out, false, ProgressListener.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(out + ": is there already; --force replaces it");
    assertThatThrownBy(() -> convert(out, out, true, ProgressListener.NONE)).hasMessage(out + ": is the model that is read");
    assertThat(out.resolve("unet/extra")).exists();
    convert(MODEL, out, true, ProgressListener.NONE);
    assertThat(out.resolve("unet/extra")).doesNotExist();
    assertThat(hash(out)).isEqualTo(hash(MODEL));
    Path other = Files.createDirectory(folder.resolve("other"));
    Files.writeString(other.resolve("thesis.txt"), "precious");
    assertThatThrownBy(() -> convert(MODEL, other, true, ProgressListener.NONE)).hasMessageContaining("is no model folder");
    assertThat(other.resolve("thesis.txt")).exists();
  }

  @Test
  void aStoppedConversionLeavesNothing() {
    Path out = folder.resolve("copy");
    assertThatThrownBy(() -> convert(MODEL, out, false, progress -> progress.done() < 1)).isInstanceOf(CancelledException.class);
    assertThat(folder).isEmptyDirectory();
  }

  /** A folder of a usual repository holds a model in both layouts. */
  @Test
  void aModelInsideOfWhatIsReplacedIsKept() throws IOException {
    Path out = folder.resolve("repository");
    CheckpointFormsTest.copy(MODEL, out);
    Path inner = out.resolve("inner");
    CheckpointFormsTest.copy(MODEL, inner);
    assertThatThrownBy(() -> convert(inner, out, true, ProgressListener.NONE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(out + ": holds the model that is read");
    assertThat(hash(inner)).isEqualTo(hash(MODEL));
    assertThatThrownBy(() -> convert(out, inner, true, ProgressListener.NONE)).hasMessage(inner + ": lies in the model that is read");
    Path weights = inner.resolve("unet/diffusion_pytorch_model.safetensors");
    try (Checkpoint model = Checkpoint.open(inner)) {
      assertThatThrownBy(
              () -> ModelConverter.convert(model, ModelConverter.Layout.LDM, weights, Optional.empty(), true, ProgressListener.NONE))
          .hasMessage(weights + ": lies in the model that is read");
    }
  }

  @Test
  void linksAreFollowedToWhatIsReplaced() throws IOException {
    Path out = folder.resolve("out");
    Path linked = folder.resolve("linked");
    CheckpointFormsTest.copy(MODEL, out);
    CheckpointFormsTest.copy(MODEL, linked);
    Path weights = linked.resolve("unet/diffusion_pytorch_model.safetensors");
    Files.delete(weights);
    Files.createSymbolicLink(weights, out.resolve("unet/diffusion_pytorch_model.safetensors"));
    assertThatThrownBy(() -> convert(linked, out, true, ProgressListener.NONE))
        .hasMessage(out + ": holds " + weights + ", a part of the model that is read");
    Path other = Files.createSymbolicLink(folder.resolve("other"), out);
    assertThatThrownBy(() -> convert(out, other, true, ProgressListener.NONE)).hasMessage(other + ": is the model that is read");
    assertThat(hash(linked)).isEqualTo(hash(MODEL));
  }

  /** A process was killed between the two renames: the older model has a temporary name only. */
  @Test
  void whatAKilledProcessSetAsideComesBack() throws IOException {
    Path out = folder.resolve("copy");
    Path aside = folder.resolve(".copy.old");
    CheckpointFormsTest.copy(MODEL, aside);
    assertThatThrownBy(() -> convert(aside, out, true, ProgressListener.NONE)).hasMessage(aside + ": is the model that is read");
    assertThatThrownBy(() -> convert(MODEL, out, true, progress -> progress.done() < 1)).isInstanceOf(CancelledException.class);
    assertThat(hash(out)).isEqualTo(hash(MODEL));
    Files.move(out, aside);
    assertThatThrownBy(() -> convert(MODEL, out, false, ProgressListener.NONE)).hasMessage(out + ": is there already; --force replaces it");
    convert(MODEL, out, true, ProgressListener.NONE);
    assertThat(folder).isDirectoryNotContaining(path -> !path.equals(out));
  }
}
