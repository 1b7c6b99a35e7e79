// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.testing.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DiffusersCheckpointTest {
  /**
   * The files of Stable Diffusion v1.4 as published: most keys left to their defaults, PNDM as
   * scheduler.
   */
  private static final Map<String, String> SD14 =
      Map.of(
          "model_index.json",
          """
          {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.2.2",
           "scheduler": ["diffusers", "PNDMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
           "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
           "vae": ["diffusers", "AutoencoderKL"]}\
          """,
          "unet/config.json",
          """
          {"_class_name": "UNet2DConditionModel", "act_fn": "silu", "attention_head_dim": 8,
           "block_out_channels": [320, 640, 1280, 1280], "center_input_sample": false, "cross_attention_dim": 768,
           "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
           "downsample_padding": 1, "flip_sin_to_cos": true, "freq_shift": 0, "in_channels": 4, "layers_per_block": 2,
           "mid_block_scale_factor": 1, "norm_eps": 1e-05, "norm_num_groups": 32, "out_channels": 4, "sample_size": 64,
           "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]}\
          """,
          "vae/config.json",
          """
          {"_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": [128, 256, 512, 512],
           "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
           "in_channels": 3, "latent_channels": 4, "layers_per_block": 2, "out_channels": 3, "sample_size": 512,
           "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"]}\
          """,
          "text_encoder/config.json",
          """
          {"architectures": ["CLIPTextModel"], "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1,
           "hidden_act": "quick_gelu", "hidden_size": 768, "intermediate_size": 3072, "layer_norm_eps": 1e-05,
           "max_position_embeddings": 77, "model_type": "clip_text_model", "num_attention_heads": 12,
           "num_hidden_layers": 12, "vocab_size": 49408}\
          """,
          "scheduler/scheduler_config.json",
          """
          {"_class_name": "PNDMScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085,
           "num_train_timesteps": 1000, "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1,
           "trained_betas": null}\
          """);

  @TempDir Path folder;

  @BeforeEach
  void writeCheckpoint() throws IOException {
    for (var file : SD14.entrySet()) {
      Path path = folder.resolve(file.getKey());
      Files.createDirectories(path.getParent());
      Files.writeString(path, file.getValue());
    }
    Files.createDirectories(folder.resolve("tokenizer"));
    write("unet/diffusion_pytorch_model.safetensors", "conv_in.bias");
    write("vae/diffusion_pytorch_model.safetensors", "decoder.mid_block.attentions.0.to_q.weight");
    write("text_encoder/model.safetensors", "text_model.final_layer_norm.bias");
  }

  @Test
  void readsTheShapesOfStableDiffusionV1() {
    try (DiffusersCheckpoint model = DiffusersCheckpoint.open(folder)) {
      assertThat(model.unetConfig())
          .isEqualTo(
              new UNetConfig(
                  4,
                  4,
                  List.of(320, 640, 1280, 1280),
                  List.of(
                      "CrossAttnDownBlock2D",
                      "CrossAttnDownBlock2D",
                      "CrossAttnDownBlock2D",
                      "DownBlock2D"),
                  List.of(
                      "UpBlock2D",
                      "CrossAttnUpBlock2D",
                      "CrossAttnUpBlock2D",
                      "CrossAttnUpBlock2D"),
                  "UNetMidBlock2DCrossAttn",
                  2,
                  768,
                  List.of(8, 8, 8, 8),
                  32,
                  1e-5,
                  true,
                  0,
                  false,
                  1,
                  64));
      assertThat(model.vaeConfig())
          .isEqualTo(
              new VaeConfig(
                  3, 3, List.of(128, 256, 512, 512), 2, 4, 32, 0.18215, 512, true, true, true));
      assertThat(model.vaeConfig().downscale()).isEqualTo(8);
      assertThat(model.textConfig())
          .isEqualTo(new TextConfig(49408, 77, 768, 12, 12, 3072, "quick_gelu", 1e-5, 0, 2, 1));
      assertThat(model.schedulerConfig())
          .isEqualTo(
              new SchedulerConfig(
                  1000, 0.00085, 0.012, "scaled_linear", 1, false, false, "leading", "epsilon"));
    }
  }

  @ParameterizedTest(name = "{1} {3}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          unet/config.json         | in_channels          | "in_channels": 4                | "in_channels": 9           | is 9: this is an inpainting variant, whose UNet takes 9 channels instead of 4, expected Stable Diffusion v1
          unet/config.json         | out_channels         | "out_channels": 4               | "out_channels": 8          | is 8, but latent_channels of vae is 4
          unet/config.json         | cross_attention_dim  | "cross_attention_dim": 768      | "cross_attention_dim": 1024 | hidden_size of text_encoder is 768
          unet/config.json         | down_block_types     | DownBlock2D"],                  | AttnDownBlock2D"],         | down_block_types is "AttnDownBlock2D", which is not supported; expected CrossAttnDownBlock2D or DownBlock2D
          unet/config.json         | up_block_types       | ["UpBlock2D",                   | [                          | expected 4 entries
          unet/config.json         | act_fn               | "act_fn": "silu"                | "act_fn": "gelu"           | expected silu or swish
          unet/config.json         | attention_head_dim   | "attention_head_dim": 8         | "attention_head_dim": [8, 8] | expected one number or 4
          unet/config.json         | attention_head_dim   | "attention_head_dim": 8         | "attention_head_dim": 7    | divisors of block_out_channels
          unet/config.json         | norm_num_groups      | "norm_num_groups": 32           | "norm_num_groups": 33      | a divisor of block_out_channels
          unet/config.json         | block_out_channels   | "block_out_channels": [320, 640, 1280, 1280] | "block_out_channels": [] | a list of 1 to 8 entries
          unet/config.json         | block_out_channels   | "block_out_channels": [320,     | "block_out_channels": [-1, | a whole number from 1
          unet/config.json         | layers_per_block     | "layers_per_block": 2           | "layers_per_block": 2.5    | a whole number from 1
          unet/config.json         | layers_per_block     | "layers_per_block": 2           | "layers_per_block": [1, 2, 2, 2] | the same number in all blocks
          unet/config.json         | addition_embed_type  | "sample_size": 64               | "addition_embed_type": "text_time" | expected null
          unet/config.json         | downsample_padding   | "downsample_padding": 1         | "downsample_padding": 0    | expected 1
          unet/config.json         | flip_sin_to_cos      | "flip_sin_to_cos": true         | "flip_sin_to_cos": 1       | expected true or false
          unet/config.json         | not valid JSON       | {                               | {,                         | not valid JSON
          unet/config.json         | in_channels          | "in_channels": 4                | "in_channels": 4, "in_channels": 4 | Duplicate
          unet/config.json         | in_channels          | "in_channels": 4,               | ``                         | in_channels is missing
          vae/config.json          | block_out_channels   | [128, 256, 512, 512]            | [128, 256, 512, 500]       | a divisor of block_out_channels
          vae/config.json          | scaling_factor       | "sample_size": 512              | "scaling_factor": -1       | a number above 0
          vae/config.json          | shift_factor         | "sample_size": 512              | "shift_factor": 0.1        | expected null
          vae/config.json          | in_channels          | "in_channels": 3                | "in_channels": 1           | is 1, which is not supported; expected 3
          vae/config.json          | out_channels         | "out_channels": 3               | "out_channels": 4          | is 4, which is not supported; expected 3
          vae/config.json          | down_block_types     | "DownEncoderBlock2D"]           | "AttnDownEncoderBlock2D"]  | expected DownEncoderBlock2D
          text_encoder/config.json | hidden_act           | "quick_gelu"                    | "relu"                     | expected quick_gelu or gelu
          text_encoder/config.json | num_attention_heads  | "num_attention_heads": 12       | "num_attention_heads": 11  | a divisor of hidden_size 768
          text_encoder/config.json | model_type           | clip_text_model                 | t5                         | expected clip_text_model
          scheduler/scheduler_config.json | prediction_type | "trained_betas": null         | "prediction_type": "sample" | expected epsilon
          scheduler/scheduler_config.json | beta_schedule | "scaled_linear"                 | "squaredcos_cap_v2"        | expected scaled_linear or linear
          scheduler/scheduler_config.json | trained_betas | "trained_betas": null           | "trained_betas": [0.1]     | expected null
          scheduler/scheduler_config.json | clip_sample_range | "trained_betas": null     | "clip_sample": true, "clip_sample_range": 2 | is 2, which is not supported; expected 1
          scheduler/scheduler_config.json | beta_end      | "beta_end": 0.012               | "beta_end": 1.5            | a number below 1
          model_index.json         | unet                 | "UNet2DConditionModel"          | "FluxTransformer2DModel"   | expected UNet2DConditionModel
          """)
  void refusesWhatItDoesNotSupport(
      String file, String key, String old, String replacement, String complaint)
      throws IOException {
    Path path = folder.resolve(file);
    String text = Files.readString(path);
    assertThat(text).contains(old);
    int at = text.lastIndexOf(old);
    Files.writeString(
        path, text.substring(0, at) + replacement + text.substring(at + old.length()));
    assertThatThrownBy(() -> DiffusersCheckpoint.open(folder))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(path + ": ")
        .hasMessageContaining(key)
        .hasMessageContaining(complaint)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
  }

  @ParameterizedTest
  @CsvSource({
    "model_index.json",
    "unet/config.json",
    "vae/config.json",
    "text_encoder/config.json",
    "scheduler/scheduler_config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "vae/diffusion_pytorch_model.safetensors",
    "text_encoder/model.safetensors"
  })
  void namesAMissingFile(String file) throws IOException {
    Files.delete(folder.resolve(file));
    assertThatThrownBy(() -> DiffusersCheckpoint.open(folder))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(Path.of(file).getFileName().toString())
        .hasMessageContaining(folder.toString());
  }

  @Test
  void takesFp16WhereThereIsNothingBetter() throws IOException {
    Path full = folder.resolve("unet/diffusion_pytorch_model.safetensors");
    Files.copy(full, folder.resolve("unet/diffusion_pytorch_model.fp16.safetensors"));
    Files.delete(full);
    try (DiffusersCheckpoint model = DiffusersCheckpoint.open(folder)) {
      assertThat(model.unet().tensors()).containsOnlyKeys("conv_in.bias");
    }
  }

  private String unetFile(Ema ema) {
    try (Checkpoint model = Checkpoint.open(folder, ema)) {
      return model.unet().file().getFileName().toString();
    }
  }

  /** Full precision before half, safetensors before pickles, whole before split. */
  @Test
  void takesTheBestOfSeveralFiles() throws IOException {
    Path unet = folder.resolve("unet");
    Path shards = unet.resolve("diffusion_pytorch_model-00001-of-00001.safetensors");
    Files.copy(unet.resolve("diffusion_pytorch_model.safetensors"), shards);
    String index = "{\"weight_map\": {\"conv_in.bias\": \"" + shards.getFileName() + "\"}}";
    List<String> best =
        List.of(
            "diffusion_pytorch_model.safetensors",
            "diffusion_pytorch_model.safetensors.index.json",
            "diffusion_pytorch_model.fp16.safetensors",
            "diffusion_pytorch_model.safetensors.index.fp16.json",
            "diffusion_pytorch_model.bin",
            "diffusion_pytorch_model.bin.index.json",
            "diffusion_pytorch_model.fp16.bin",
            "diffusion_pytorch_model.bin.index.fp16.json");
    for (String name : best) {
      if (name.endsWith(".json")) {
        Files.writeString(unet.resolve(name), index);
      } else if (name.endsWith(".bin")) {
        try (var in = getClass().getResourceAsStream("ckpt/plain_state_dict.pt")) {
          Files.write(unet.resolve(name), in.readAllBytes());
        }
      } else if (!Files.exists(unet.resolve(name))) {
        write("unet/" + name, "conv_in.bias");
      }
    }
    for (String name : best) {
      assertThat(unetFile(Ema.AS_GIVEN)).isEqualTo(name);
      Files.delete(unet.resolve(name));
    }
    assertThatThrownBy(() -> unetFile(Ema.AS_GIVEN)).hasMessageStartingWith(unet + ": no weights, expected diffusion_pytorch_model.safetensors, ");
  }

  @Test
  void namesAMissingShard() throws IOException {
    Path unet = folder.resolve("unet");
    Files.delete(unet.resolve("diffusion_pytorch_model.safetensors"));
    Files.writeString(
        unet.resolve("diffusion_pytorch_model.safetensors.index.json"), "{\"weight_map\": {\"conv_in.bias\": \"part-2.safetensors\"}}");
    assertThatThrownBy(() -> Checkpoint.open(folder))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("part-2.safetensors")
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
  }

  @Test
  void takesWeightsWithoutAveragingWhereAsked() {
    assertThatThrownBy(() -> unetFile(Ema.PLAIN)).hasMessageContaining("no weights without averaging, expected diffusion_pytorch_model.non_ema.safetensors");
    write("unet/diffusion_pytorch_model.non_ema.safetensors", "conv_in.bias");
    assertThat(unetFile(Ema.PLAIN)).isEqualTo("diffusion_pytorch_model.non_ema.safetensors");
    assertThat(unetFile(Ema.AVERAGED)).isEqualTo(unetFile(Ema.AS_GIVEN)).isEqualTo("diffusion_pytorch_model.safetensors");
  }

  @Test
  void readsTheSafetyChecker() throws IOException {
    try (Checkpoint model = Checkpoint.open(folder)) {
      assertThat(model.hasSafetyChecker()).isFalse();
      assertThat(model.safetyChecker()).isEmpty();
    }
    Files.createDirectories(folder.resolve("safety_checker"));
    Files.writeString(
        folder.resolve("safety_checker/config.json"),
        """
        {"architectures": ["StableDiffusionSafetyChecker"], "model_type": "clip", "projection_dim": 768,
         "vision_config": {"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16,
                           "num_hidden_layers": 24, "patch_size": 14, "projection_dim": 512}}\
        """);
    write("safety_checker/model.safetensors", "vision_model.embeddings.class_embedding", "concept_embeds");
    try (Checkpoint model = Checkpoint.open(folder)) {
      SafetyCheckerWeights checker = model.safetyChecker().orElseThrow();
      assertThat(checker.config()).isEqualTo(new VisionConfig(224, 14, 1024, 24, 16, 4096, 768, "quick_gelu", 1e-5));
      assertThat(checker.part().tensors())
          .containsOnlyKeys("vision_model.vision_model.embeddings.class_embedding", "concept_embeds");
      Files.delete(folder.resolve("safety_checker/model.safetensors")); // as people do who never use it
      assertThat(model.hasSafetyChecker()).isTrue();
      assertThatThrownBy(model::safetyChecker).hasMessageStartingWith(folder.resolve("safety_checker") + ": no weights");
    }
  }

  @ParameterizedTest(name = "{3}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          model_index.json | "StableDiffusionPipeline" | "StableDiffusionXLPipeline" | Stable Diffusion XL
          model_index.json | "StableDiffusionPipeline" | "StableDiffusion3Pipeline"  | Stable Diffusion 3
          model_index.json | "StableDiffusionPipeline" | "FluxPipeline"              | Flux
          model_index.json | "tokenizer":              | "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"], "tokenizer": | Stable Diffusion XL
          unet/config.json | "in_channels": 4          | "in_channels": 8            | an InstructPix2Pix variant
          """)
  void refusesOtherModelsByName(String file, String old, String replacement, String kind) throws IOException {
    Path path = folder.resolve(file);
    Files.writeString(path, Files.readString(path).replace(old, replacement));
    assertThatThrownBy(() -> Checkpoint.open(folder))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(path + ": ")
        .hasMessageContaining("this is " + kind)
        .hasMessageContaining("expected Stable Diffusion v1");
  }

  @Test
  void refusesTheSecondGenerationByName() throws IOException {
    for (String file : List.of("unet/config.json", "text_encoder/config.json")) {
      Path path = folder.resolve(file);
      Files.writeString(path, Files.readString(path).replace("768", "1024").replace("\"num_attention_heads\": 12", "\"num_attention_heads\": 16"));
    }
    Path scheduler = folder.resolve("scheduler/scheduler_config.json");
    Files.writeString(scheduler, Files.readString(scheduler).replace("\"trained_betas\"", "\"prediction_type\": \"v_prediction\", \"trained_betas\""));
    assertThatThrownBy(() -> Checkpoint.open(folder)).hasMessageContaining("this is Stable Diffusion 2, expected Stable Diffusion v1");
  }

  @Test
  void readsOldAndNewNames() throws IOException {
    String attention = "encoder.mid_block.attentions.0.";
    write(
        "vae/diffusion_pytorch_model.safetensors",
        attention + "query.weight",
        attention + "key.bias",
        attention + "value.weight",
        attention + "proj_attn.bias",
        attention + "group_norm.weight",
        "decoder.conv_in.weight");
    write(
        "text_encoder/model.safetensors",
        "embeddings.position_ids",
        "embeddings.token_embedding.weight",
        "final_layer_norm.bias");
    try (DiffusersCheckpoint model = DiffusersCheckpoint.open(folder)) {
      assertThat(model.vae().tensors())
          .containsOnlyKeys(
              attention + "to_q.weight",
              attention + "to_k.bias",
              attention + "to_v.weight",
              attention + "to_out.0.bias",
              attention + "group_norm.weight",
              "decoder.conv_in.weight");
      assertThat(model.textEncoder().tensors())
          .containsOnlyKeys(
              "text_model.embeddings.token_embedding.weight", "text_model.final_layer_norm.bias");
      model.vae().tensors().forEach((name, view) -> assertThat(view.name()).isEqualTo(name));
    }
  }

  @Test
  void refusesTwoSpellingsOfOneTensor() throws IOException {
    write(
        "text_encoder/model.safetensors",
        "text_model.final_layer_norm.bias",
        "final_layer_norm.bias");
    try (DiffusersCheckpoint model = DiffusersCheckpoint.open(folder)) {
      assertThatThrownBy(model::textEncoder)
          .hasMessageContaining("two tensors mean \"text_model.final_layer_norm.bias\"");
    }
  }

  /** Spelling and order of a file decide nothing; values do. */
  @Test
  void theHashIsOfValuesAndNotOfFiles() throws IOException {
    String before = hash("tokenizer");
    assertThat(before).matches("[0-9a-f]{64}").isEqualTo(hash("tokenizer"));
    Path config = folder.resolve("vae/config.json");
    Files.writeString(config, Files.readString(config).replace("512,", "512, "));
    write("vae/diffusion_pytorch_model.safetensors", "decoder.mid_block.attentions.0.query.weight");
    assertThat(hash("tokenizer")).isEqualTo(before);
    String tokenizer = hash("another tokenizer");
    Files.writeString(config, Files.readString(config).replace("\"sample_size\"", "\"scaling_factor\": 0.2, \"sample_size\""));
    String configured = hash("tokenizer");
    write("unet/diffusion_pytorch_model.safetensors", "conv_in.weight");
    assertThat(List.of(before, tokenizer, configured, hash("tokenizer"))).doesNotHaveDuplicates();
  }

  @Test
  void opensTheSmallModel() {
    try (DiffusersCheckpoint model =
        DiffusersCheckpoint.open(Shared.repository().resolve("models/clothes"))) {
      assertThat(model.unetConfig().blockOutChannels()).containsExactly(64, 128);
      assertThat(model.unetConfig().attentionHeads()).containsExactly(4, 4);
      assertThat(model.vaeConfig().scalingFactor()).isEqualTo(0.5455447062229015);
      assertThat(model.textConfig().bosTokenId()).isEqualTo(3512);
      assertThat(model.textConfig().padTokenId()).isEqualTo(3513);
      assertThat(model.unet().parameters()).isBetween(3_160_000L, 3_190_000L);
      assertThat(model.vae().parameters()).isBetween(675_000L, 695_000L);
      assertThat(model.textEncoder().parameters()).isBetween(675_000L, 695_000L);
    }
  }

  @Test
  void theNewSpellingHoldsTheSameTextEncoder() throws IOException {
    Path present = Shared.path("golden/checkpoint_v5/text_encoder/model.safetensors");
    Path classic = Shared.repository().resolve("models/clothes/text_encoder/model.safetensors");
    Path target = folder.resolve("text_encoder/model.safetensors");
    Files.copy(present, target, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    try (DiffusersCheckpoint model = DiffusersCheckpoint.open(folder);
        SafeTensors expected = SafeTensors.open(classic)) {
      Map<String, TensorView> read = model.textEncoder().tensors();
      for (String name : expected.names()) {
        if (!name.endsWith("position_ids")) {
          assertThat(read).containsKey(name);
          assertThat(read.get(name).data()).isEqualTo(expected.tensor(name).data());
        }
      }
    }
  }

  private String hash(String tokenizer) {
    try (Checkpoint model = Checkpoint.open(folder)) {
      var hashes = new TreeMap<String, String>();
      model.parts().forEach(part -> hashes.put(part.name(), ModelHash.of(part)));
      return ModelHash.of(hashes, model, tokenizer).whole();
    }
  }

  private void write(String file, String... names) {
    SafeTensorsWriter.write(
        folder.resolve(file),
        Arrays.stream(names).map(name -> TensorView.ofFloats(name, new long[] {2}, 1, 2)).toList(),
        Map.of("format", "pt"));
  }
}
