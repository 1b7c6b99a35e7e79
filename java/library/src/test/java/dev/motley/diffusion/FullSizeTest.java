// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.Precision;
import dev.motley.ProgressListener;
import dev.motley.testing.Shared;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A model of Stable Diffusion's own size; its weights may be any. */
class FullSizeTest {
  private record Drawn(byte[] pixels, Quality quality, String hash) {}

  private static Drawn draw(Path model) {
    var request = new ImageRequest("an image of a dog", "", 3, 0, NoiseGenerator.PHILOX, 5, 0);
    try (var pipeline = DiffusionPipeline.load(model, Precision.BF16)) {
      Pictures pictures = pipeline.draw(List.of(request), new SamplingOptions(64, 64, 2, false), ProgressListener.NONE);
      return new Drawn(pictures.picture(0), pictures.quality().getFirst(), pipeline.modelHash());
    }
  }

  @Test
  void everyFormDrawsTheSame() {
    Drawn expected = draw(Shared.fullSize("diffusers"));
    assertThat(expected.quality()).isEqualTo(Quality.GOOD); // equal pixels would say little where all are black
    for (String single : List.of("ldm.safetensors", "ldm.ckpt")) {
      Drawn drawn = draw(Shared.fullSize(single));
      assertThat(drawn.hash()).as(single).isEqualTo(expected.hash());
      assertThat(drawn.pixels()).as(single).isEqualTo(expected.pixels());
    }
  }
}
