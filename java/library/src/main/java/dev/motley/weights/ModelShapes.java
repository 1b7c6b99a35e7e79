// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tensors that each network consists of, by its configuration: the classic names of diffusers
 * and transformers, with the shapes they are stored in. Convolutions are (out, in, height, width),
 * matrices (out, in).
 */
final class ModelShapes {
  private final Map<String, long[]> shapes = new LinkedHashMap<>();

  private ModelShapes() {}

  /** The tensors of a UNet2DConditionModel. */
  static Map<String, long[]> unet(UNetConfig config) {
    var model = new ModelShapes();
    List<Integer> channels = config.blockOutChannels();
    int blocks = channels.size();
    int layers = config.layersPerBlock();
    int time = 4 * channels.getFirst();
    model.convolution("conv_in", channels.getFirst(), config.inChannels(), 3);
    model.linear("time_embedding.linear_1", time, channels.getFirst());
    model.linear("time_embedding.linear_2", time, time);
    Deque<Integer> skips = new ArrayDeque<>(List.of(channels.getFirst()));
    int width = channels.getFirst();
    for (int i = 0; i < blocks; i++) {
      String block = "down_blocks." + i + ".";
      boolean attention = config.downBlockTypes().get(i).startsWith("CrossAttn");
      for (int j = 0; j < layers; j++) {
        model.residual(block + "resnets." + j, width, channels.get(i), time);
        width = channels.get(i);
        if (attention) {
          model.transformer(block + "attentions." + j, width, config);
        }
        skips.push(width);
      }
      if (i < blocks - 1) {
        model.convolution(block + "downsamplers.0.conv", width, width, 3);
        skips.push(width);
      }
    }
    model.residual("mid_block.resnets.0", width, width, time);
    model.transformer("mid_block.attentions.0", width, config);
    model.residual("mid_block.resnets.1", width, width, time);
    for (int i = 0; i < blocks; i++) {
      String block = "up_blocks." + i + ".";
      boolean attention = config.upBlockTypes().get(i).startsWith("CrossAttn");
      for (int j = 0; j <= layers; j++) {
        int out = channels.get(blocks - 1 - i);
        model.residual(block + "resnets." + j, width + skips.pop(), out, time);
        width = out;
        if (attention) {
          model.transformer(block + "attentions." + j, width, config);
        }
      }
      if (i < blocks - 1) {
        model.convolution(block + "upsamplers.0.conv", width, width, 3);
      }
    }
    model.norm("conv_norm_out", width);
    model.convolution("conv_out", config.outChannels(), width, 3);
    return Collections.unmodifiableMap(model.shapes);
  }

  /** The tensors of an AutoencoderKL. */
  static Map<String, long[]> vae(VaeConfig config) {
    var model = new ModelShapes();
    List<Integer> channels = config.blockOutChannels();
    int latent = config.latentChannels();
    int deepest = channels.getLast();
    int width = channels.getFirst();
    model.convolution("encoder.conv_in", width, config.inChannels(), 3);
    for (int i = 0; i < channels.size(); i++) {
      String block = "encoder.down_blocks." + i + ".";
      for (int j = 0; j < config.layersPerBlock(); j++) {
        model.residual(block + "resnets." + j, width, channels.get(i), 0);
        width = channels.get(i);
      }
      if (i < channels.size() - 1) {
        model.convolution(block + "downsamplers.0.conv", width, width, 3);
      }
    }
    model.middle("encoder.mid_block", deepest, config.midBlockAddAttention());
    model.norm("encoder.conv_norm_out", deepest);
    model.convolution("encoder.conv_out", 2 * latent, deepest, 3);
    model.convolution("decoder.conv_in", deepest, latent, 3);
    model.middle("decoder.mid_block", deepest, config.midBlockAddAttention());
    for (int i = 0; i < channels.size(); i++) {
      String block = "decoder.up_blocks." + i + ".";
      for (int j = 0; j <= config.layersPerBlock(); j++) {
        int out = channels.get(channels.size() - 1 - i);
        model.residual(block + "resnets." + j, width, out, 0);
        width = out;
      }
      if (i < channels.size() - 1) {
        model.convolution(block + "upsamplers.0.conv", width, width, 3);
      }
    }
    model.norm("decoder.conv_norm_out", width);
    model.convolution("decoder.conv_out", config.outChannels(), width, 3);
    if (config.useQuantConv()) {
      model.convolution("quant_conv", 2 * latent, 2 * latent, 1);
    }
    if (config.usePostQuantConv()) {
      model.convolution("post_quant_conv", latent, latent, 1);
    }
    return Collections.unmodifiableMap(model.shapes);
  }

  /** The tensors of a CLIPTextModel. */
  static Map<String, long[]> text(TextConfig config) {
    var model = new ModelShapes();
    int width = config.width();
    String embeddings = "text_model.embeddings.";
    model.put(embeddings + "token_embedding.weight", config.vocabSize(), width);
    model.put(embeddings + "position_embedding.weight", config.positions(), width);
    for (int i = 0; i < config.layers(); i++) {
      String layer = "text_model.encoder.layers." + i + ".";
      for (String matrix : List.of("q_proj", "k_proj", "v_proj", "out_proj")) {
        model.linear(layer + "self_attn." + matrix, width, width);
      }
      model.norm(layer + "layer_norm1", width);
      model.norm(layer + "layer_norm2", width);
      model.linear(layer + "mlp.fc1", config.mlpWidth(), width);
      model.linear(layer + "mlp.fc2", width, config.mlpWidth());
    }
    model.norm("text_model.final_layer_norm", width);
    return Collections.unmodifiableMap(model.shapes);
  }

  /**
   * A residual block.
   *
   * @param time width of the time embedding; 0 in the autoencoder, which has none
   */
  private void residual(String name, int in, int out, int time) {
    norm(name + ".norm1", in);
    convolution(name + ".conv1", out, in, 3);
    if (time > 0) {
      linear(name + ".time_emb_proj", out, time);
    }
    norm(name + ".norm2", out);
    convolution(name + ".conv2", out, out, 3);
    if (in != out) {
      convolution(name + ".conv_shortcut", out, in, 1);
    }
  }

  /** A spatial transformer with one block of self-attention, cross-attention and GEGLU. */
  private void transformer(String name, int width, UNetConfig config) {
    norm(name + ".norm", width);
    projection(name + ".proj_in", width, config.useLinearProjection());
    String block = name + ".transformer_blocks.0.";
    for (int i = 1; i <= 2; i++) {
      int context = i == 1 ? width : config.crossAttentionDim();
      String attention = block + "attn" + i + ".";
      put(attention + "to_q.weight", width, width);
      put(attention + "to_k.weight", width, context);
      put(attention + "to_v.weight", width, context);
      linear(attention + "to_out.0", width, width);
    }
    for (int i = 1; i <= 3; i++) {
      norm(block + "norm" + i, width);
    }
    linear(block + "ff.net.0.proj", 8 * width, width);
    linear(block + "ff.net.2", width, 4 * width);
    projection(name + ".proj_out", width, config.useLinearProjection());
  }

  private void projection(String name, int width, boolean linear) {
    if (linear) {
      linear(name, width, width);
    } else {
      convolution(name, width, width, 1);
    }
  }

  /** The autoencoder's middle, whose attention has one head. */
  private void middle(String name, int width, boolean attention) {
    residual(name + ".resnets.0", width, width, 0);
    if (attention) {
      norm(name + ".attentions.0.group_norm", width);
      for (String matrix : List.of("to_q", "to_k", "to_v", "to_out.0")) {
        linear(name + ".attentions.0." + matrix, width, width);
      }
    }
    residual(name + ".resnets.1", width, width, 0);
  }

  private void convolution(String name, int out, int in, int kernel) {
    put(name + ".weight", out, in, kernel, kernel);
    put(name + ".bias", out);
  }

  private void linear(String name, int out, int in) {
    put(name + ".weight", out, in);
    put(name + ".bias", out);
  }

  private void norm(String name, int width) {
    put(name + ".weight", width);
    put(name + ".bias", width);
  }

  private void put(String name, long... shape) {
    shapes.put(name, shape);
  }
}
