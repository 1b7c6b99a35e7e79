// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import dev.motley.benchmarks.eager.Layers.Conv;
import dev.motley.benchmarks.eager.Layers.GroupNorm;
import dev.motley.weights.TensorView;
import dev.motley.weights.VaeConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/** The decoder of diffusers' AutoencoderKL in float32, eager. Calls need an open PointerScope. */
public final class EagerVaeDecoder implements AutoCloseable {

  private static final double EPS = 1e-6;

  private record Level(List<ResBlock> blocks, Optional<Conv> upsample) {}

  private final VaeConfig config;
  private final MemoryFormat format;
  private final Parameters parameters;
  private final Optional<Conv> postQuant;
  private final Conv convIn;
  private final ResBlock middle0;
  private final Optional<GroupNorm> attentionNorm;
  private final Optional<Attention> attention;
  private final ResBlock middle1;
  private final List<Level> up = new ArrayList<>();
  private final GroupNorm normOut;
  private final Conv convOut;

  /**
   * Copies the weights.
   *
   * @param config the network's shape
   * @param weights by diffusers' names; those of the encoder are not used
   * @param format of activations and convolution weights
   */
  public EagerVaeDecoder(
      VaeConfig config, Map<String, TensorView> weights, MemoryFormat format) {
    this.config = config;
    this.format = format;
    parameters = new Parameters(weights, format);
    int groups = config.normNumGroups();
    String middle = "decoder.mid_block.";
    postQuant =
        config.usePostQuantConv()
            ? Optional.of(parameters.conv("post_quant_conv", 1, 0))
            : Optional.empty();
    convIn = parameters.conv("decoder.conv_in", 1, 1);
    middle0 = ResBlock.of(parameters, middle + "resnets.0", groups, EPS);
    middle1 = ResBlock.of(parameters, middle + "resnets.1", groups, EPS);
    String attentionName = middle + "attentions.0";
    boolean hasAttention = config.midBlockAddAttention();
    attentionNorm =
        hasAttention
            ? Optional.of(parameters.groupNorm(attentionName + ".group_norm", groups, EPS))
            : Optional.empty();
    attention =
        hasAttention
            ? Optional.of(Attention.of(parameters, attentionName, 1))
            : Optional.empty();
    for (int i = 0; i < config.blockOutChannels().size(); i++) {
      up.add(level("decoder.up_blocks." + i, groups));
    }
    normOut = parameters.groupNorm("decoder.conv_norm_out", groups, EPS);
    convOut = parameters.conv("decoder.conv_out", 1, 1);
  }

  private Level level(String name, int groups) {
    List<ResBlock> blocks = new ArrayList<>();
    for (int j = 0; j <= config.layersPerBlock(); j++) {
      blocks.add(ResBlock.of(parameters, name + ".resnets." + j, groups, EPS));
    }
    String upsample = name + ".upsamplers.0.conv";
    return new Level(
        blocks,
        parameters.has(upsample + ".weight")
            ? Optional.of(parameters.conv(upsample, 1, 1))
            : Optional.empty());
  }

  /**
   * Decodes latents.
   *
   * @param latents (n, latent channels, h, w), not scaled
   * @return images (n, out channels, H, W), nominally in [-1, 1]
   */
  public Tensor decode(Tensor latents) {
    return Scopes.freeing(
        () -> {
          Tensor z = latents.contiguous(format);
          Tensor h = convIn.apply(postQuant.isPresent() ? postQuant.get().apply(z) : z);
          h = middle0.apply(h, Optional.empty());
          if (attention.isPresent()) {
            h = attend(h);
          }
          h = middle1.apply(h, Optional.empty());
          for (Level level : up) {
            for (ResBlock block : level.blocks()) {
              h = block.apply(h, Optional.empty());
            }
            if (level.upsample().isPresent()) {
              h = EagerUNet.upsample(h, level.upsample().get());
            }
          }
          return convOut.apply(normOut.silu(h));
        });
  }

  private Tensor attend(Tensor x) {
    return Scopes.freeing(
        () -> {
          long[] shape = x.shape();
          Tensor tokens =
              attentionNorm
                  .orElseThrow()
                  .apply(x)
                  .permute(0, 2, 3, 1)
                  .reshape(shape[0], shape[2] * shape[3], shape[1]);
          Tensor mixed = attention.orElseThrow().apply(tokens, tokens);
          return mixed.view(shape[0], shape[2], shape[3], shape[1]).permute(0, 3, 1, 2).add(x);
        });
  }

  /**
   * Decodes what a sampler gives.
   *
   * @param latents (n, latent channels, h, w), scaled
   * @return pixels (n, H, W, out channels) uint8, rounded
   */
  public Tensor pixels(Tensor latents) {
    return Scopes.freeing(
        () -> {
          Tensor images = decode(latents.div(new Scalar(config.scalingFactor())));
          Tensor unit =
              images.div(new Scalar(2.0)).add(new Scalar(0.5)).clamp_(scalar(0), scalar(1));
          return unit.mul(new Scalar(255.0))
              .round()
              .to(torch.ScalarType.Byte)
              .permute(0, 2, 3, 1)
              .contiguous();
        });
  }

  private static ScalarOptional scalar(double value) {
    return new ScalarOptional(new Scalar(value));
  }

  @Override
  public void close() {
    parameters.close();
  }
}
