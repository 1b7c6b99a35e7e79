// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.Precision;
import dev.motley.ProgressListener;
import dev.motley.testing.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model draws the same pictures in whichever form it lies on the disk. */
class CheckpointFormsTest {
  private static final Path MODEL = Shared.repository().resolve("models/clothes");

  @TempDir Path folder;

  private record Drawn(byte[] pixels, String hash) {}

  private static Drawn draw(Path model) {
    var request = new ImageRequest("a painting of an ankle boot", "", 3, 0, NoiseGenerator.PHILOX, 5, 0);
    try (var pipeline = DiffusionPipeline.load(model, Precision.FP32)) {
      var options = new SamplingOptions(32, 32, 4, false);
      Pictures pictures = pipeline.draw(List.of(request), options, ProgressListener.NONE);
      return new Drawn(pictures.picture(0), pipeline.modelHash());
    }
  }

  static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        Files.createDirectories(target.getParent());
        Files.copy(file, target);
      }
    }
  }

  /** transformers 5 writes the text encoder and the tokenizer in another spelling. */
  @Test
  void theNewSpellingDrawsTheSame() throws IOException {
    Path present = Shared.path("golden/checkpoint_v5");
    for (String part : List.of("unet", "vae", "scheduler")) {
      copy(MODEL.resolve(part), folder.resolve(part));
    }
    Files.copy(MODEL.resolve("model_index.json"), folder.resolve("model_index.json"));
    copy(present, folder);
    Drawn drawn = draw(folder);
    Drawn expected = draw(MODEL);
    assertThat(drawn.pixels()).isEqualTo(expected.pixels());
    assertThat(drawn.hash()).isEqualTo(expected.hash());
  }
}
