// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Recognises what weights are for by the names and shapes of their tensors, so that what Motley cannot draw with is refused by its own
 * name and not by the first tensor that does not fit.
 */
final class ModelKind {
  /** What a refusal ends with. */
  static final String EXPECTED = "expected Stable Diffusion v1 (1.1 to 1.5, or a fine-tune of them)";

  private static final String FIRST_CONVOLUTION = LdmKeys.UNET + "input_blocks.0.0.weight";
  private static final String FIRST_CONTEXT =
      LdmKeys.UNET + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight";
  private static final int V1_CONTEXT = 768;
  private static final int V2_CONTEXT = 1024;

  /** What one of the names, or its beginning, or a part of it, gives away. */
  private record Trait(String kind, Predicate<String> of) {}

  /** Models that share some of v1's names; the more telling first. */
  private static final List<Trait> MODELS =
      List.of(
          new Trait("Stable Diffusion XL", name -> name.startsWith("conditioner.embedders.1.")),
          new Trait("the refiner of Stable Diffusion XL", name -> name.startsWith("conditioner.embedders.")),
          new Trait("Stable Diffusion 3", name -> name.contains("joint_blocks.")),
          new Trait("Flux", name -> name.contains("double_blocks.")),
          new Trait("Stable Diffusion 2", name -> name.startsWith("cond_stage_model.model.")),
          new Trait("a ControlNet", name -> name.startsWith("control_model.") || name.startsWith("controlnet_")),
          new Trait("a LoRA", ModelKind::isLora),
          new Trait("a textual inversion", name -> name.equals("emb_params") || name.startsWith("string_to_param")));

  /** Parts of models, and other networks; looked at where there is no UNet of a single file. */
  private static final List<Trait> PARTS =
      List.of(
          new Trait("an autoencoder alone", name -> name.startsWith(LdmKeys.VAE)),
          new Trait("an autoencoder alone", name -> name.equals("decoder.conv_in.weight")),
          new Trait("the UNet of a diffusers folder alone", name -> name.equals("time_embedding.linear_1.weight")),
          new Trait("a CLIP vision model", name -> name.startsWith("vision_model.") || name.startsWith("visual.")),
          new Trait("a CLIP text encoder alone", name -> name.endsWith("embeddings.token_embedding.weight")),
          new Trait("an image classifier", Set.of("fc.weight", "head.weight", "heads.head.weight", "classifier.1.weight")::contains));

  private ModelKind() {}

  private static boolean isLora(String name) {
    return name.startsWith("lora_")
        || name.contains(".lora_A.")
        || name.contains(".lora_B.")
        || name.contains("lora_down")
        || name.contains("lora.up.");
  }

  /** What a file holds that is not Stable Diffusion v1; empty if it is that, as far as names tell. */
  static Optional<String> foreign(TensorFile file) {
    Set<String> names = file.names();
    Optional<String> model = first(MODELS, names);
    if (model.isPresent()) {
      return model;
    }
    if (file instanceof SafeTensors own && own.metadata().containsKey("motley")) {
      return Optional.of("an image classifier that Motley trained");
    }
    if (names.stream().anyMatch(name -> name.startsWith(LdmKeys.UNET))) {
      return variant(file);
    }
    return first(PARTS, names)
        .or(() -> Optional.of("no diffusion model (no tensor is named " + LdmKeys.UNET + "*)"));
  }

  private static Optional<String> first(List<Trait> traits, Set<String> names) {
    return traits.stream()
        .filter(trait -> names.stream().anyMatch(trait.of()))
        .map(Trait::kind)
        .findFirst();
  }

  private static Optional<String> variant(TensorFile file) {
    long[] first = shape(file, FIRST_CONVOLUTION);
    Optional<String> other = first.length == 4 ? byChannels((int) first[1]) : Optional.empty();
    long[] context = shape(file, FIRST_CONTEXT);
    if (other.isEmpty() && context.length == 2 && context[1] != V1_CONTEXT) {
      return Optional.of(
          context[1] == V2_CONTEXT
              ? "Stable Diffusion 2"
              : "a diffusion model with prompts of width " + context[1] + " instead of " + V1_CONTEXT);
    }
    return other;
  }

  private static long[] shape(TensorFile file, String name) {
    return file.names().contains(name) ? file.tensor(name).shape() : new long[0];
  }

  /** Variants of v1 give the UNet more than the latents to see. */
  private static Optional<String> byChannels(int channels) {
    String variant = Map.of(9, "an inpainting", 8, "an InstructPix2Pix", 5, "a depth-to-image").getOrDefault(channels, "another");
    return channels == 4
        ? Optional.empty()
        : Optional.of(variant + " variant, whose UNet takes " + channels + " channels instead of 4");
  }

  /**
   * Refuses a diffusers folder of another kind.
   *
   * @throws InvalidInputException naming the kind
   */
  static void requireV1(ConfigFile index, ConfigFile unet, ConfigFile text) {
    ofPipeline(index).ifPresent(kind -> {
      throw index.foreign("_class_name", kind);
    });
    if (unet.node("cross_attention_dim").asInt() == V2_CONTEXT && text.node("hidden_size").asInt() == V2_CONTEXT) {
      throw unet.foreign("cross_attention_dim", "Stable Diffusion 2");
    }
    if (unet.node("in_channels").isInt() && unet.node("in_channels").asInt() > 4) {
      byChannels(unet.node("in_channels").asInt()).ifPresent(kind -> {
        throw unet.foreign("in_channels", kind);
      });
    }
  }

  /** The kind of a pipeline that is not v1's, by its class's name or its parts. */
  static Optional<String> ofPipeline(ConfigFile index) {
    String name = index.node("_class_name").asText();
    boolean second = index.node("text_encoder_2").path(1).isTextual();
    boolean first = index.node("text_encoder").path(1).isTextual();
    if (name.startsWith("StableDiffusionXL") || second && index.has("unet")) {
      return Optional.of(second && !first ? "the refiner of Stable Diffusion XL" : "Stable Diffusion XL");
    }
    if (name.startsWith("StableDiffusion3")) {
      return Optional.of("Stable Diffusion 3");
    }
    return name.startsWith("Flux") ? Optional.of("Flux") : Optional.empty();
  }
}
