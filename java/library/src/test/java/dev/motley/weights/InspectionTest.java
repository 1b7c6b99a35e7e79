// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.testing.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectionTest {
  @TempDir Path folder;

  @BeforeEach
  void copyTheSmallModel() throws IOException {
    Path from = Shared.repository().resolve("models/clothes");
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = folder.resolve(from.relativize(file).toString());
        Files.createDirectories(target.getParent());
        Files.copy(file, target);
      }
    }
  }

  @Test
  void aSoundModelHasNoFault() {
    try (Inspection found = Inspection.of(folder, Ema.AS_GIVEN)) {
      assertThat(found.faults()).isEmpty();
      assertThat(found.kind()).isEqualTo("a latent diffusion model of its own shape");
      assertThat(found.checkpoint()).isPresent();
      assertThat(found.parts()).extracting(Part::name).containsExactly("unet", "vae", "text_encoder");
    }
  }

  @Test
  void tellsAllThatIsWrongAndAllThatIsNot() throws IOException {
    Path vae = folder.resolve("vae/diffusion_pytorch_model.safetensors");
    Map<String, TensorView> tensors;
    try (SafeTensors file = SafeTensors.open(vae)) {
      tensors = new LinkedHashMap<>();
      file.tensors().forEach((name, tensor) -> tensors.put(name, TensorView.ofFloats(name, tensor.shape(), tensor.toFloats())));
    }
    tensors.remove("decoder.conv_in.bias");
    tensors.put("quant_conv.bias", TensorView.ofFloats("quant_conv.bias", new long[] {3}, 1, 2, 3));
    tensors.put("odd", TensorView.ofFloats("odd", new long[] {1}, 1));
    SafeTensorsWriter.write(vae, tensors.values(), Map.of());
    Files.delete(folder.resolve("unet/diffusion_pytorch_model.safetensors"));
    Path text = folder.resolve("text_encoder/model.safetensors");
    Files.write(text, java.util.Arrays.copyOf(Files.readAllBytes(text), 100_000));
    try (Inspection found = Inspection.of(folder, Ema.AS_GIVEN)) {
      assertThat(found.checkpoint()).isEmpty();
      assertThat(found.parts()).extracting(Part::name).containsExactly("vae");
      assertThat(found.faults())
          .satisfiesExactlyInAnyOrder(
              line -> assertThat(line).startsWith(folder.resolve("unet") + ": no weights, expected"),
              line -> assertThat(line).endsWith("vae: decoder.conv_in.bias is missing (expected (64))"),
              line -> assertThat(line).endsWith("vae: quant_conv.bias has shape (3), expected (8)"),
              line -> assertThat(line).endsWith("vae: odd (1) is not part of the model"),
              line -> assertThat(line).startsWith(text + ": ").contains("past the end of the data"));
    }
  }

  @Test
  void aSingleFileIsComparedWithV1() {
    Path file = folder.resolve("model.safetensors");
    Map<String, TensorView> tensors = SmallLdm.tensors();
    tensors.keySet().removeIf(name -> name.startsWith("cond_stage_model."));
    SmallLdm.write(file, tensors);
    try (Inspection found = Inspection.of(file, Ema.AS_GIVEN)) {
      assertThat(found.kind()).isEqualTo("Stable Diffusion v1");
      assertThat(found.averaged()).isEqualTo("one set of weights");
      assertThat(found.faults())
          .contains(file + ": text_encoder: all 196 tensors are missing")
          .anyMatch(line -> line.endsWith("unet: conv_out.weight has shape (1, 1, 1, 1), expected (4, 320, 3, 3)"));
    }
  }

  @Test
  void anyFileOfTensorsIsListed() {
    Path file = folder.resolve("other.safetensors");
    SmallLdm.write(file, Map.of(), TensorView.ofLongs("a", new long[] {2}, 1, 2), TensorView.ofFloats("b", new long[] {1}, 1));
    try (Inspection found = Inspection.of(file, Ema.AS_GIVEN)) {
      assertThat(found.faults()).isEmpty();
      assertThat(found.checkpoint()).isEmpty();
      assertThat(found.kind()).startsWith("no diffusion model");
      assertThat(found.parts().getFirst().dtypes()).isEqualTo(Map.of(DType.I64, 1, DType.F32, 1));
    }
    assertThatThrownBy(() -> Inspection.of(folder.resolve("none"), Ema.AS_GIVEN)).isInstanceOf(InvalidInputException.class);
  }

  @Test
  void aModelOfAnotherKindIsNamed() throws IOException {
    Path index = folder.resolve("model_index.json");
    Files.writeString(index, Files.readString(index).replace("StableDiffusionPipeline", "StableDiffusionXLPipeline"));
    try (Inspection found = Inspection.of(folder, Ema.AS_GIVEN)) {
      assertThat(found.faults()).anyMatch(line -> line.contains("this is Stable Diffusion XL"));
      assertThat(found.parts()).hasSize(3);
    }
  }
}
