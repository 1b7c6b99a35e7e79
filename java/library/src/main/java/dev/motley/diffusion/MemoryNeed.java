// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.Precision;
import dev.motley.ResourceException;
import dev.motley.weights.Part;
import dev.motley.weights.UNetConfig;
import dev.motley.weights.VaeConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a model and a picture of it take of memory, asked before any of it is taken: the system grants what it lacks, and then ends some
 * process, not always this one. The constants were measured with Stable Diffusion 1.4 at 256x256 and 512x512 pixels: beside the weights it
 * took 2.0 GiB for 512x512 in bfloat16 and 2.2 in float32, most of which is scratch in float32 either way.
 *
 * @param unet that denoises; both halves of guidance of one picture are counted
 * @param vae that decodes; what the UNet took stays in the pool meanwhile
 * @param precision of the weights
 */
record MemoryNeed(UNetConfig unet, VaeConfig vae, Precision precision) {
  private static final double GIB = 1L << 30;

  /** Of the weights: tables, packed edges and the prompts' share, on top of the weights themselves. */
  private static final double OVERHEAD = 1.05;

  /** Bytes per element of the largest convolution's kernel: its form in Winograd's domain, and that of one half as large. */
  private static final int TRANSFORMED = 24;

  /** Bytes per element of the UNet's first block, at the latents' size. */
  private static final int UNET_BYTES = 150;

  /** Bytes per element of the decoder's second block, at the picture's size. */
  private static final int DECODER_BYTES = 22;

  /** Bytes that the networks take in memory, by the shapes of their tensors. */
  long weights(List<Part> parts) {
    int each = precision == Precision.FP32 ? Float.BYTES : Float.BYTES / 2;
    return (long) (OVERHEAD * each * parts.stream().mapToLong(Part::parameters).sum());
  }

  /** Bytes that one picture takes beside the weights, while it is drawn. */
  double drawing(SamplingOptions options) {
    double pixels = (double) options.width() * options.height();
    double latents = pixels / vae.downscale() / vae.downscale();
    List<Integer> decoder = vae.blockOutChannels();
    return TRANSFORMED * largestKernel()
        + UNET_BYTES * unet.blockOutChannels().getFirst() * latents
        + DECODER_BYTES * decoder.get(Math.min(1, decoder.size() - 1)) * pixels;
  }

  /** Elements of the 3 x 3 convolution that takes the deepest skip connection in, beside as many channels from below. */
  private double largestKernel() {
    double deepest = unet.blockOutChannels().getLast();
    return 9 * 2 * deepest * deepest;
  }

  /**
   * Refuses a model that does not fit.
   *
   * @param parts of it that are to be loaded
   * @param largest picture that it is to draw, where that is known
   * @param available bytes
   * @throws ResourceException with the numbers and a remedy
   */
  void requireForLoading(Path model, List<Part> parts, Optional<SamplingOptions> largest, long available) {
    long weights = weights(parts);
    double drawing = largest.map(this::drawing).orElse(0.0);
    if (weights + drawing > available) {
      String picture = largest.map(o -> " and a picture of %dx%d %.1f".formatted(o.width(), o.height(), drawing / GIB)).orElse("");
      throw new ResourceException(
          "%s: its weights take about %.1f GiB of memory in %s%s, %.1f GiB are available%s"
              .formatted(model, weights / GIB, precision.id(), picture, available / GIB, remedy(weights <= available)));
    }
  }

  private String remedy(boolean weightsFit) {
    String half = precision == Precision.FP32 ? "; --precision bf16 or fp16 takes about half" : "";
    return weightsFit && half.isEmpty() ? "; draw smaller ones" : half;
  }

  /**
   * Refuses a picture that does not fit beside the weights.
   *
   * @param available bytes
   * @throws ResourceException with the numbers and a remedy
   */
  void requireForDrawing(SamplingOptions options, long available) {
    double drawing = drawing(options);
    if (drawing > available) {
      throw new ResourceException(
          "a picture of %dx%d pixels takes about %.1f GiB of memory, %.1f are available: draw smaller ones"
              .formatted(options.width(), options.height(), drawing / GIB, available / GIB));
    }
  }
}
