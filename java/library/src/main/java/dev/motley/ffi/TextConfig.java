// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The shape of a CLIP text transformer, as in its {@code config.json}.
 *
 * @param vocabulary vocab_size
 * @param positions max_position_embeddings: tokens of each prompt
 * @param width hidden_size
 * @param layers num_hidden_layers
 * @param heads num_attention_heads
 * @param mlpWidth intermediate_size
 * @param activation hidden_act
 * @param precision of the computation
 * @param normEps layer_norm_eps
 */
public record TextConfig(
    int vocabulary,
    int positions,
    int width,
    int layers,
    int heads,
    int mlpWidth,
    Activation activation,
    Precision precision,
    double normEps) {

  /** The function between the two layers of an MLP. */
  public enum Activation {
    /** x * sigmoid(1.702 x), of OpenAI's CLIP. */
    QUICK_GELU,
    /** The exact GELU, of OpenCLIP. */
    GELU
  }

  MemorySegment toC(Arena arena) {
    return Struct.allocate(arena, Header.TEXT_CONFIG)
        .put("vocabulary", vocabulary)
        .put("positions", positions)
        .put("width", width)
        .put("layers", layers)
        .put("heads", heads)
        .put("mlp_width", mlpWidth)
        .put("activation", activation.ordinal())
        .put("precision", precision.ordinal())
        .put("norm_eps", normEps)
        .segment();
  }
}
