// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Shape of a CLIP vision encoder with its projection, from transformers' {@code config.json} of a
 * vision model, of a whole CLIP model, or of Stable Diffusion's safety checker. Keys that older
 * files leave out have transformers' defaults.
 *
 * @param imageSize height and width of its pictures
 * @param patchSize height and width of a patch
 * @param mlpWidth hidden width of the feed-forward layers
 * @param projectionDim values of an embedding
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

  private static final String VISION = "vision_config";

  /** As older transformers wrote it, beside the other: where present, it alone counts. */
  private static final String VISION_DICT = "vision_config_dict";

  private static final String VISION_PREFIX = "vision_model.";

  /** What whole CLIP models have beside the vision encoder, by the beginnings of their names. */
  private static final List<String> OTHER_PARTS =
      List.of("text_model.", "text_projection.", "logit_scale");

  /**
   * Reads a configuration file.
   *
   * @throws dev.motley.InvalidInputException for a value that is missing or not supported; names
   *     file, key and value
   */
  public static VisionConfig read(Path file) {
    return of(ConfigFile.read(file));
  }

  static VisionConfig of(ConfigFile file) {
    String key = file.has(VISION_DICT) ? VISION_DICT : VISION;
    String absent = file.has(key) ? "clip" : "clip_vision_model";
    boolean whole =
        file.oneOf("model_type", absent, List.of("clip", "clip_vision_model")).equals("clip");
    if (whole && !file.node(key).isObject()) {
      throw file.unsupported(key, file.node(key), "an object");
    }
    ConfigFile vision = whole ? file.section(key) : file;
    vision.require("num_channels", 3);
    VisionConfig result =
        new VisionConfig(
            vision.size("image_size", 224),
            vision.size("patch_size", 32),
            vision.size("hidden_size", 768),
            vision.size("num_hidden_layers", 12),
            vision.size("num_attention_heads", 12),
            vision.size("intermediate_size", 3072),
            file.size("projection_dim", 512),
            vision.oneOf("hidden_act", "quick_gelu", List.of("quick_gelu", "gelu")),
            vision.positive("layer_norm_eps", 1e-5));
    if (result.width % result.heads != 0) {
      throw vision.unsupported(
          "num_attention_heads",
          vision.node("num_attention_heads"),
          "a divisor of hidden_size " + result.width);
    }
    return result;
  }

  /**
   * The vision encoder's tensors, by the names of transformers' {@code
   * CLIPVisionModelWithProjection}, out of those of a vision model, of a whole CLIP model or of a
   * safety checker, which has a second {@code vision_model.} in front.
   *
   * @param tensors by their names in the file
   * @return without the other parts of CLIP and without position ids
   */
  public static Map<String, TensorView> encoderTensors(Map<String, TensorView> tensors) {
    Map<String, TensorView> vision = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) -> {
          boolean other = OTHER_PARTS.stream().anyMatch(name::startsWith);
          if (!other && !name.endsWith("position_ids")) {
            boolean nested = name.startsWith(VISION_PREFIX + VISION_PREFIX);
            String plain = nested ? name.substring(VISION_PREFIX.length()) : name;
            vision.put(plain, tensor.renamed(plain));
          }
        });
    return vision;
  }
}
