// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.nio.file.Path;
import java.util.List;

/**
 * Shape of a CLIP vision tower with its projection, from the {@code config.json} of a safety checker or an image encoder; what that file
 * leaves out has the default of transformers.
 *
 * @param imageSize width and height of the pictures it sees, in pixels
 * @param patchSize of the squares a picture is cut into
 * @param mlpWidth hidden width of the feed-forward layers
 * @param projectionDim width of the embedding after the projection
 * @param activation {@code quick_gelu} or {@code gelu}
 * @param layerNormEps epsilon of every LayerNorm
 */
public record VisionConfig(
    int imageSize,
    int patchSize,
    int width,
    int layers,
    int heads,
    int mlpWidth,
    int projectionDim,
    String activation,
    double layerNormEps) {

  /**
   * Reads a configuration file.
   *
   * @throws dev.motley.InvalidInputException for a value that is not supported; names file, key and value
   */
  public static VisionConfig read(Path file) {
    return of(ConfigFile.read(file));
  }

  static VisionConfig of(ConfigFile file) {
    ConfigFile config = file.section("vision_config");
    int projection = config.size("projection_dim", 512);
    VisionConfig result =
        new VisionConfig(
            config.size("image_size", 224),
            config.size("patch_size", 32),
            config.size("hidden_size", 768),
            config.size("num_hidden_layers", 12),
            config.size("num_attention_heads", 12),
            config.size("intermediate_size", 3072),
            file.size("projection_dim", projection),
            config.oneOf("hidden_act", "quick_gelu", List.of("quick_gelu", "gelu")),
            config.positive("layer_norm_eps", 1e-5));
    if (result.width % result.heads != 0) {
      throw config.unsupported(
          "num_attention_heads", config.node("num_attention_heads"), "a divisor of hidden_size " + result.width);
    }
    if (result.imageSize % result.patchSize != 0) {
      throw config.unsupported(
          "patch_size", config.node("patch_size"), "a divisor of image_size " + result.imageSize);
    }
    return result;
  }
}
