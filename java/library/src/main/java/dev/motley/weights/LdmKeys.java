// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * How the single-file layout of the latent diffusion code names the tensors of Stable Diffusion v1.
 * That code numbers the UNet's blocks in one row and the decoder's levels by their resolution;
 * diffusers nests the first and numbers the second in the order in which they run.
 *
 * <p>Each rule leads from diffusers' name to the file's; {@link #inverse} leads back, among the
 * names that a model has.
 */
final class LdmKeys {
  static final String UNET = "model.diffusion_model.";
  static final String VAE = "first_stage_model.";
  static final String TEXT = "cond_stage_model.transformer.";

  /** Residual blocks per level of v1's UNet; its up path has one more. */
  private static final int LAYERS = 2;

  /** The decoder's last level. */
  private static final int LAST_LEVEL = 3;

  private static final Map<String, String> RESIDUAL =
      Map.of(
          "norm1", "in_layers.0",
          "conv1", "in_layers.2",
          "time_emb_proj", "emb_layers.1",
          "norm2", "out_layers.0",
          "conv2", "out_layers.3",
          "conv_shortcut", "skip_connection");

  private static final Map<String, String> VAE_ATTENTION =
      Map.of("group_norm", "norm", "to_q", "q", "to_k", "k", "to_v", "v", "to_out.0", "proj_out");

  private LdmKeys() {}

  /** The file's name of a UNet's tensor. */
  static String unet(String name) {
    String[] part = name.split("\\.", 5);
    String leaf = name.substring(name.lastIndexOf('.') + 1);
    return UNET
        + switch (part[0]) {
          case "conv_in" -> "input_blocks.0.0." + leaf;
          case "time_embedding" -> "time_embed." + (part[1].equals("linear_1") ? 0 : 2) + "." + leaf;
          case "conv_norm_out" -> "out.0." + leaf;
          case "conv_out" -> "out.2." + leaf;
          case "mid_block" -> middle(part[1], Integer.parseInt(part[2]), name.split("\\.", 4)[3]);
          case "down_blocks" -> down(Integer.parseInt(part[1]), part[2], Integer.parseInt(part[3]), part[4]);
          case "up_blocks" -> up(Integer.parseInt(part[1]), part[2], Integer.parseInt(part[3]), part[4]);
          default -> throw new IllegalArgumentException(name);
        };
  }

  private static String middle(String kind, int index, String rest) {
    return kind.equals("resnets")
        ? "middle_block." + 2 * index + "." + residual(rest)
        : "middle_block.1." + rest;
  }

  /** Input block 0 is the first convolution; each level has its layers, then its downsampler. */
  private static String down(int level, String kind, int layer, String rest) {
    int first = (LAYERS + 1) * level + 1;
    return "input_blocks."
        + switch (kind) {
          case "resnets" -> (first + layer) + ".0." + residual(rest);
          case "attentions" -> (first + layer) + ".1." + rest;
          default -> (first + LAYERS) + ".0." + rest.replace("conv.", "op.");
        };
  }

  /** The upsampler follows in the list of the level's last layer; the first level has no attention. */
  private static String up(int level, String kind, int layer, String rest) {
    int first = (LAYERS + 1) * level;
    return "output_blocks."
        + switch (kind) {
          case "resnets" -> (first + layer) + ".0." + residual(rest);
          case "attentions" -> (first + layer) + ".1." + rest;
          default -> (first + LAYERS) + "." + (level == 0 ? 1 : 2) + "." + rest;
        };
  }

  private static String residual(String rest) {
    int dot = rest.indexOf('.');
    return RESIDUAL.get(rest.substring(0, dot)) + rest.substring(dot);
  }

  /** The file's name of an autoencoder's tensor. */
  static String vae(String name) {
    String[] part = name.split("\\.", 6);
    if (part.length == 2) {
      return VAE + name; // quant_conv, post_quant_conv
    }
    String side = part[0] + ".";
    return VAE
        + switch (part[1]) {
          case "conv_norm_out" -> side + "norm_out." + part[2];
          case "mid_block" -> side + "mid." + middleOfVae(part[2], part[3], name);
          case "down_blocks" -> side + "down." + part[2] + "." + level(part[3], "downsample", part[4], part[5]);
          case "up_blocks" ->
              side + "up." + (LAST_LEVEL - Integer.parseInt(part[2])) + "." + level(part[3], "upsample", part[4], part[5]);
          default -> name; // conv_in, conv_out
        };
  }

  private static String middleOfVae(String kind, String index, String name) {
    String rest = name.split("\\.", 5)[4];
    int leaf = rest.lastIndexOf('.');
    return kind.equals("resnets")
        ? "block_" + (Integer.parseInt(index) + 1) + "." + rest
        : "attn_1." + VAE_ATTENTION.get(rest.substring(0, leaf)) + rest.substring(leaf);
  }

  private static String level(String kind, String resample, String index, String rest) {
    return kind.equals("resnets")
        ? "block." + index + "." + rest.replace("conv_shortcut", "nin_shortcut")
        : resample + "." + rest;
  }

  /** The file's name of a text encoder's tensor. */
  static String text(String name) {
    return TEXT + name;
  }

  /**
   * The name under which the training code kept the exponential moving average of a UNet's tensor:
   * without the dots, which a buffer's name may not have.
   *
   * @param ldmName as {@link #unet} gives it
   */
  static String ema(String ldmName) {
    return "model_ema." + ldmName.substring("model.".length()).replace(".", "");
  }

  /**
   * The way back.
   *
   * @param names that the model has
   * @param rule one of the above
   * @return the model's name by the file's
   */
  static Map<String, String> inverse(Collection<String> names, UnaryOperator<String> rule) {
    Map<String, String> back = new LinkedHashMap<>();
    for (String name : names) {
      if (back.put(rule.apply(name), name) != null) {
        throw new IllegalStateException("two tensors are named " + rule.apply(name));
      }
    }
    return back;
  }
}
