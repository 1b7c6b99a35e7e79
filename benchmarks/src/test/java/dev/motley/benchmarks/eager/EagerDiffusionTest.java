// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import static dev.motley.benchmarks.eager.Compare.assertAsExactAsPyTorch;
import static dev.motley.benchmarks.eager.Compare.tensor;

import dev.motley.testing.Golden;
import dev.motley.weights.UNetConfig;
import dev.motley.weights.VaeConfig;
import java.io.IOException;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EagerDiffusionTest {

  @TempDir private Path folder;

  @ParameterizedTest
  @EnumSource(names = {"Contiguous", "ChannelsLast"})
  void unetIsDiffusers(MemoryFormat format) throws IOException {
    Golden golden = Golden.read("unet_small");
    UNetConfig config =
        UNetConfig.read(Compare.config(golden, "UNet2DConditionModel", folder));
    try (PointerScope scope = new PointerScope();
        EagerUNet unet = new EagerUNet(config, golden.weights("unet."), format);
        InferenceMode mode = new InferenceMode(true)) {
      Tensor sample = tensor(golden, "sample");
      Tensor context = tensor(golden, "context");
      Tensor first = unet.forward(sample, Tensor.create(new float[] {981, 981}, 2), context);
      assertAsExactAsPyTorch(first, golden, "eps_t981");
      Tensor mixed = unet.forward(sample, Tensor.create(new float[] {976, 26}, 2), context);
      assertAsExactAsPyTorch(mixed, golden, "eps_mixed_t");
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"Contiguous", "ChannelsLast"})
  void decoderIsDiffusers(MemoryFormat format) throws IOException {
    Golden golden = Golden.read("vae_small");
    VaeConfig config = VaeConfig.read(Compare.config(golden, "AutoencoderKL", folder));
    try (PointerScope scope = new PointerScope();
        EagerVaeDecoder vae = new EagerVaeDecoder(config, golden.weights("vae."), format);
        InferenceMode mode = new InferenceMode(true)) {
      assertAsExactAsPyTorch(vae.decode(tensor(golden, "latent")), golden, "decoded");
    }
  }
}
