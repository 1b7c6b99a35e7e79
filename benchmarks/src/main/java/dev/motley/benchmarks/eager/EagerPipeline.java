// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import dev.motley.weights.DiffusersCheckpoint;
import java.nio.file.Path;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/** UNet, sampler and decoder of a model folder, eager: from noise and encoded prompts to pixels. */
public final class EagerPipeline implements AutoCloseable {

  private final EagerUNet unet;
  private final EagerVaeDecoder vae;
  private final EagerSampler sampler;

  /**
   * A batch to draw.
   *
   * @param count images, n
   * @param channels of the latents
   * @param size height and width of the latents
   * @param tokens per prompt
   * @param latents (n, channels, size, size) initial noise
   * @param negative (n, tokens, width) encoded negative prompts
   * @param positive (n, tokens, width) encoded prompts
   * @param guidance (n) guidance scales
   */
  public record Batch(
      int count,
      int channels,
      int size,
      int tokens,
      float[] latents,
      float[] negative,
      float[] positive,
      float[] guidance) {}

  private EagerPipeline(DiffusersCheckpoint checkpoint, MemoryFormat format) {
    unet = new EagerUNet(checkpoint.unetConfig(), checkpoint.unet().tensors(), format);
    vae = new EagerVaeDecoder(checkpoint.vaeConfig(), checkpoint.vae().tensors(), format);
    sampler = new EagerSampler(unet, checkpoint.schedulerConfig());
  }

  /**
   * Loads a model in diffusers' folder layout.
   *
   * @param folder with unet/, vae/ and scheduler/
   * @param channelsLast whether activations are NHWC
   * @return the pipeline, to be closed
   */
  public static EagerPipeline load(Path folder, boolean channelsLast) {
    try (DiffusersCheckpoint checkpoint = DiffusersCheckpoint.open(folder)) {
      return new EagerPipeline(
          checkpoint, channelsLast ? MemoryFormat.ChannelsLast : MemoryFormat.Contiguous);
    }
  }

  /**
   * Denoises.
   *
   * @param batch what to draw
   * @param steps of DDIM
   * @return latents (n, channels, size, size), still scaled
   */
  public float[] denoise(Batch batch, int steps) {
    try (PointerScope scope = new PointerScope()) {
      Tensor latents = sample(batch, steps).contiguous();
      float[] values = new float[batch.latents().length];
      new FloatPointer(latents.data_ptr()).get(values);
      return values;
    }
  }

  /**
   * Denoises and decodes.
   *
   * @param batch what to draw
   * @param steps of DDIM
   * @return pixels (n, height, width, 3)
   */
  public byte[] draw(Batch batch, int steps) {
    try (PointerScope scope = new PointerScope()) {
      Tensor latents = sample(batch, steps);
      new InferenceMode(true);
      Tensor pixels = vae.pixels(latents);
      byte[] values = new byte[Math.toIntExact(pixels.numel())];
      new BytePointer(pixels.data_ptr()).get(values);
      return values;
    }
  }

  private Tensor sample(Batch batch, int steps) {
    int n = batch.count();
    int width = batch.positive().length / n / batch.tokens();
    Tensor latents =
        Tensor.create(batch.latents(), n, batch.channels(), batch.size(), batch.size());
    Tensor negative = Tensor.create(batch.negative(), n, batch.tokens(), width);
    Tensor positive = Tensor.create(batch.positive(), n, batch.tokens(), width);
    Tensor guidance = Tensor.create(batch.guidance(), n, 1, 1, 1);
    return sampler.sample(latents, negative, positive, guidance, steps);
  }

  @Override
  public void close() {
    vae.close();
    unet.close();
  }
}
