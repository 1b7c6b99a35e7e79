// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LdmCheckpointTest {
  @TempDir Path folder;

  private Path file;

  @BeforeEach
  void name() {
    file = folder.resolve("model.safetensors");
  }

  private static TensorView tensor(String name, long... shape) {
    int elements = (int) java.util.Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    return TensorView.ofFloats(name, shape, new float[elements]);
  }

  @Test
  void givesEveryTensorByItsClassicName() {
    SmallLdm.write(
        file,
        SmallLdm.tensors(),
        tensor("cond_stage_model.transformer.text_model.embeddings.position_ids", 1, 77),
        tensor("betas", 1000),
        tensor("alphas_cumprod", 1000),
        tensor("logvar", 1000),
        tensor("model_ema.decay"),
        tensor("first_stage_model.loss.logvar", 1));
    try (Checkpoint model = Checkpoint.open(file)) {
      assertThat(model).isInstanceOf(LdmCheckpoint.class);
      assertThat(model.unet().tensors()).containsOnlyKeys(ModelShapes.unet(SmallLdm.V1.unet()).keySet());
      assertThat(model.vae().tensors()).containsOnlyKeys(ModelShapes.vae(SmallLdm.V1.vae()).keySet());
      assertThat(model.textEncoder().tensors()).containsOnlyKeys(ModelShapes.text(SmallLdm.V1.text()).keySet());
      assertThat(model.unet().tensors().get("up_blocks.1.upsamplers.0.conv.bias").toFloats())
          .containsExactly("model.diffusion_model.output_blocks.5.2.conv.bias".hashCode());
      assertThat(model.vae().tensors().get("decoder.mid_block.attentions.0.to_q.weight").shape()).hasSize(2);
      assertThat(model.nativeSize()).contains(512);
      assertThat(model.maxSteps()).isEqualTo(999);
      assertThat(model.tokenizerFolder()).isEmpty();
      assertThat(model.safetyChecker()).isEmpty();
      assertThat(model.isV1()).isTrue();
    }
    assertThat(Checkpoint.nativeSize(file)).contains(512);
    assertThat(Checkpoint.maxSteps(file)).isEqualTo(999);
  }

  @Test
  void theSameWeightsHaveTheSameHashInBothLayouts() throws IOException {
    SmallLdm.write(file, SmallLdm.tensors());
    Path other = folder.resolve("folder");
    try (Checkpoint single = Checkpoint.open(file)) {
      for (var config : single.configFiles().entrySet()) {
        Path path = other.resolve(config.getKey());
        Files.createDirectories(path.getParent());
        Files.write(path, config.getValue());
      }
      for (Part part : single.parts()) {
        String name = part.name().equals("text_encoder") ? "model" : "diffusion_pytorch_model";
        List<TensorView> tensors = new ArrayList<>(part.tensors().values());
        SafeTensorsWriter.write(other.resolve(part.name()).resolve(name + ".safetensors"), tensors, Map.of());
      }
      try (Checkpoint split = Checkpoint.open(other)) {
        assertThat(split).isInstanceOf(DiffusersCheckpoint.class);
        assertThat(split.unetConfig()).isEqualTo(single.unetConfig());
        for (int i = 0; i < single.parts().size(); i++) {
          assertThat(ModelHash.of(split.parts().get(i))).isEqualTo(ModelHash.of(single.parts().get(i)));
        }
        assertThat(ModelHash.of(Map.of(), split, "t")).isEqualTo(ModelHash.of(Map.of(), single, "t"));
      }
    }
  }

  @Test
  void takesTheAveragedWeightsWhereAsked() {
    Map<String, TensorView> both = SmallLdm.tensors();
    both.putAll(SmallLdm.averaged());
    SmallLdm.write(file, both);
    String name = "conv_in.bias";
    float plain = "model.diffusion_model.input_blocks.0.0.bias".hashCode();
    for (Ema ema : Ema.values()) {
      try (Checkpoint model = Checkpoint.open(file, ema)) {
        float expected = ema == Ema.AVERAGED ? plain + 1e9f : plain;
        assertThat(model.unet().tensors().get(name).toFloats()).containsExactly(expected);
        assertThat(model.unet().tensors()).hasSize(ModelShapes.unet(SmallLdm.V1.unet()).size());
      }
    }
    SmallLdm.write(file, SmallLdm.tensors());
    assertThatThrownBy(() -> Checkpoint.open(file, Ema.AVERAGED))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(file + ": has no averaged weights");
  }

  @Test
  void warnsWhereNobodyChoseBetweenBoth() {
    SmallLdm.write(file, SmallLdm.tensors());
    assertThat(warnings(Ema.AS_GIVEN)).isEmpty();
    Map<String, TensorView> both = SmallLdm.tensors();
    both.putAll(SmallLdm.averaged());
    SmallLdm.write(file, both);
    assertThat(warnings(Ema.PLAIN)).isEmpty();
    assertThat(warnings(Ema.AVERAGED)).isEmpty();
    assertThat(warnings(Ema.AS_GIVEN))
        .containsExactly(
            file + ": holds the UNet's weights before averaging, which are taken, and the averaged ones, which published folders hold:"
                + " choose by --ema or --no-ema");
  }

  /** What is logged when the model is checked, which is small, so not whole. */
  private List<String> warnings(Ema ema) {
    List<String> lines = new ArrayList<>();
    var handler = new Handler() {
      @Override
      public void publish(LogRecord logged) {
        lines.add(new SimpleFormatter().formatMessage(logged));
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    };
    Logger log = Logger.getLogger(LdmCheckpoint.class.getName());
    log.addHandler(handler);
    try (Checkpoint model = Checkpoint.open(file, ema)) {
      assertThatThrownBy(model::requireWhole).hasMessageStartingWith(file + ": unet: ");
      return lines;
    } finally {
      log.removeHandler(handler);
    }
  }

  @Test
  void anUnknownTensorOfANetworkStaysUnderItsOwnName() {
    String odd = "model.diffusion_model.middle_block.9.weight";
    SmallLdm.write(file, SmallLdm.tensors(), tensor(odd, 2));
    try (Checkpoint model = Checkpoint.open(file)) {
      assertThat(model.unet().tensors()).containsKey(odd);
    }
  }

  @ParameterizedTest(name = "{1}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          conditioner.embedders.1.model.ln_final.weight            | holds Stable Diffusion XL,
          conditioner.embedders.0.model.ln_final.weight            | holds the refiner of Stable Diffusion XL,
          cond_stage_model.model.ln_final.weight                   | holds Stable Diffusion 2,
          model.diffusion_model.joint_blocks.0.context_block.x     | holds Stable Diffusion 3,
          double_blocks.0.img_attn.qkv.weight                      | holds Flux,
          lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight | holds a LoRA,
          first_stage_model.decoder.conv_in.weight                 | holds an autoencoder alone,
          decoder.conv_in.weight                                   | holds an autoencoder alone,
          time_embedding.linear_1.weight                           | holds the UNet of a diffusers folder alone,
          text_model.embeddings.token_embedding.weight             | holds a CLIP text encoder alone,
          fc.weight                                                | holds an image classifier,
          something.else                                           | holds no diffusion model
          """)
  void refusesOtherModelsByName(String name, String complaint) {
    SmallLdm.write(file, Map.of(), tensor(name, 1));
    assertThatThrownBy(() -> Checkpoint.open(file))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(file + ": " + complaint)
        .hasMessageContaining("expected Stable Diffusion v1");
  }

  @ParameterizedTest
  @CsvSource({
    "9, an inpainting variant", "8, an InstructPix2Pix variant", "5, a depth-to-image variant", "7, another variant"
  })
  void refusesVariantsOfV1(int channels, String complaint) {
    SmallLdm.write(file, SmallLdm.tensors(), tensor("model.diffusion_model.input_blocks.0.0.weight", 1, channels, 3, 3));
    assertThatThrownBy(() -> Checkpoint.open(file)).hasMessageContaining("holds " + complaint);
  }

  @Test
  void refusesAnotherTextEncodersWidth() {
    SmallLdm.write(
        file,
        SmallLdm.tensors(),
        tensor("model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", 1, 1024));
    assertThatThrownBy(() -> Checkpoint.open(file)).hasMessageContaining("holds Stable Diffusion 2,");
  }

  @Test
  void aFolderWithOneFileIsThatFile() throws IOException {
    assertThatThrownBy(() -> Checkpoint.open(folder)).hasMessageContaining("no model folder").hasMessageContaining("model_index.json");
    SmallLdm.write(file, SmallLdm.tensors());
    try (Checkpoint model = Checkpoint.open(folder)) {
      assertThat(model.path()).isEqualTo(file);
    }
    Files.copy(file, folder.resolve("second.ckpt"));
    assertThatThrownBy(() -> Checkpoint.open(folder))
        .hasMessageContaining("name one of its files: model.safetensors, second.ckpt");
    assertThatThrownBy(() -> Checkpoint.open(folder.resolve("none")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(folder.resolve("none") + ": no such model folder or file");
  }

  @Test
  void aModelsNameIsNoPath() {
    assertThatThrownBy(() -> Checkpoint.open(Path.of("runwayml/stable-diffusion-v1-5")))
        .hasMessage(
            "runwayml/stable-diffusion-v1-5: no such model folder or file; Motley downloads nothing: give the folder of a downloaded copy,"
                + " such as ~/.cache/huggingface/hub/models--runwayml--stable-diffusion-v1-5/snapshots/...");
    for (String path : List.of("none/model.safetensors", "src/none", "none", "a/b/c")) {
      assertThatThrownBy(() -> Checkpoint.open(Path.of(path))).hasMessage(path + ": no such model folder or file");
    }
  }

  @Test
  void aFolderOfHuggingFacesCacheNamesItsSnapshots() throws IOException {
    Path model = Files.createDirectories(folder.resolve("models--CompVis--stable-diffusion-v1-4"));
    for (String name : List.of("blobs", "refs", "snapshots/b3c", "snapshots/abc")) {
      Files.createDirectories(model.resolve(name));
    }
    assertThatThrownBy(() -> Checkpoint.open(model))
        .hasMessageStartingWith(model + ": no model folder: it has no model_index.json")
        .hasMessageEndingWith("; it is of Hugging Face's cache: name a folder in its snapshots/: abc, b3c");
  }
}
