// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.nio.file.Path;
import java.util.List;

/**
 * Shape of a CLIP text encoder, from {@code text_encoder/config.json} of a diffusers folder. The
 * token ids are those of the file and may be stale (old files say 0, 1, 2); the tokenizer's own ids
 * count.
 *
 * @param positions length of every id sequence, padding included
 * @param mlpWidth hidden width of the feed-forward layers
 * @param activation {@code quick_gelu} or {@code gelu}
 * @param layerNormEps epsilon of every LayerNorm
 */
public record TextConfig(
    int vocabSize,
    int positions,
    int width,
    int layers,
    int heads,
    int mlpWidth,
    String activation,
    double layerNormEps,
    int bosTokenId,
    int eosTokenId,
    int padTokenId) {

  /**
   * Reads a configuration file.
   *
   * @throws dev.motley.InvalidInputException for a value that is missing or not supported; names
   *     file, key and value
   */
  public static TextConfig read(Path file) {
    return of(ConfigFile.read(file));
  }

  static TextConfig of(ConfigFile file) {
    ConfigFile config = file.section("text_config"); // of a file that describes all of CLIP
    config.oneOf("model_type", "clip_text_model", List.of("clip_text_model"));
    TextConfig result =
        new TextConfig(
            config.size("vocab_size", 49408),
            config.size("max_position_embeddings", 77),
            config.size("hidden_size"),
            config.size("num_hidden_layers"),
            config.size("num_attention_heads"),
            config.size("intermediate_size"),
            config.oneOf("hidden_act", "quick_gelu", List.of("quick_gelu", "gelu")),
            config.positive("layer_norm_eps", 1e-5),
            config.index("bos_token_id", 49406),
            config.index("eos_token_id", 49407),
            config.index("pad_token_id", 1));
    if (result.width % result.heads != 0) {
      throw config.unsupported(
          "num_attention_heads",
          config.node("num_attention_heads"),
          "a divisor of hidden_size " + result.width);
    }
    return result;
  }
}
