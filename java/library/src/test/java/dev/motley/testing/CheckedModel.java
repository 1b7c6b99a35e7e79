// SPDX-License-Identifier: Apache-2.0
package dev.motley.testing;

import dev.motley.weights.SafeTensorsWriter;
import dev.motley.weights.TensorView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The embedded model of clothes with a safety checker of one concept beside it, on a small random vision encoder. */
public final class CheckedModel {

  private CheckedModel() {}

  /**
   * Writes the model.
   *
   * @param folder made by this call
   * @param encoder the vision encoder, by the names of CLIPVisionModelWithProjection
   * @param concept (32): a picture whose embedding points this way is flagged
   * @param threshold cosine above which it is; below -1 all are
   * @return the folder
   */
  public static Path write(Path folder, Map<String, TensorView> encoder, float[] concept, float threshold) {
    try {
      Path clothes = Shared.repository().resolve("models/clothes");
      try (Stream<Path> files = Files.walk(clothes)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Path copy = folder.resolve(clothes.relativize(file).toString());
          Files.createDirectories(copy.getParent());
          Files.copy(file, copy);
        }
      }
      Path part = Files.createDirectory(folder.resolve("safety_checker"));
      Files.writeString(
          part.resolve("config.json"),
          """
          {"architectures": ["StableDiffusionSafetyChecker"], "model_type": "clip", "projection_dim": 32,
           "vision_config": {"hidden_size": 48, "image_size": 28, "intermediate_size": 96, "num_attention_heads": 4,
                             "num_hidden_layers": 3, "patch_size": 7}}\
          """);
      List<TensorView> tensors = new ArrayList<>();
      encoder.values().stream()
          .map(t -> t.name().startsWith("vision_model.") ? t.renamed("vision_model." + t.name()) : t)
          .forEach(tensors::add);
      tensors.add(TensorView.ofFloats("concept_embeds", new long[] {1, concept.length}, concept));
      tensors.add(TensorView.ofFloats("concept_embeds_weights", new long[] {1}, threshold));
      float[] opposite = new float[concept.length];
      for (int i = 0; i < concept.length; i++) {
        opposite[i] = -concept[i];
      }
      tensors.add(TensorView.ofFloats("special_care_embeds", new long[] {1, concept.length}, opposite));
      tensors.add(TensorView.ofFloats("special_care_embeds_weights", new long[] {1}, 2)); // never fires
      SafeTensorsWriter.write(part.resolve("model.safetensors"), tensors, Map.of());
      return folder;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
