// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The shape of a CLIP vision transformer with its projection, as in its {@code config.json}.
 *
 * @param imageSize image_size: height and width of its pictures
 * @param patchSize patch_size
 * @param width hidden_size
 * @param layers num_hidden_layers
 * @param heads num_attention_heads
 * @param mlpWidth intermediate_size
 * @param projection projection_dim: values of an embedding
 * @param activation hidden_act
 * @param precision of the computation
 * @param normEps layer_norm_eps
 */
public record VisionConfig(
    int imageSize,
    int patchSize,
    int width,
    int layers,
    int heads,
    int mlpWidth,
    int projection,
    TextConfig.Activation activation,
    Precision precision,
    double normEps) {

  MemorySegment toC(Arena arena) {
    return Struct.allocate(arena, Header.VISION_CONFIG)
        .put("image_size", imageSize)
        .put("patch_size", patchSize)
        .put("width", width)
        .put("layers", layers)
        .put("heads", heads)
        .put("mlp_width", mlpWidth)
        .put("projection", projection)
        .put("activation", activation.ordinal())
        .put("precision", precision.ordinal())
        .put("norm_eps", normEps)
        .segment();
  }
}
