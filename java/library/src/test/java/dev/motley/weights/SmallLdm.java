// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Tensors of Stable Diffusion v1 by all their names, with hardly a number in each, which follows from the name. */
final class SmallLdm {
  static final LdmCheckpoint.BuiltIn V1 = LdmCheckpoint.BuiltIn.read();

  private SmallLdm() {}

  /** Everything a single file holds, by its names. */
  static Map<String, TensorView> tensors() {
    Map<String, TensorView> all = new LinkedHashMap<>();
    add(all, ModelShapes.unet(V1.unet()), LdmKeys::unet);
    add(all, ModelShapes.vae(V1.vae()), LdmKeys::vae);
    add(all, ModelShapes.text(V1.text()), LdmKeys::text);
    return all;
  }

  private static void add(Map<String, TensorView> all, Map<String, long[]> shapes, UnaryOperator<String> rule) {
    shapes.forEach(
        (name, shape) -> {
          String stored = rule.apply(name);
          boolean convolution = stored.contains(".attn_1.") && shape.length == 2;
          long[] small = new long[convolution ? 4 : shape.length];
          Arrays.fill(small, 1);
          if (stored.equals("model.diffusion_model.input_blocks.0.0.weight")) {
            small[1] = 4;
          } else if (stored.endsWith("input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight")) {
            small[1] = 768;
          }
          all.put(stored, TensorView.ofFloats(stored, small, values(stored, small)));
        });
  }

  private static float[] values(String name, long... shape) {
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    Arrays.fill(values, name.hashCode());
    return values;
  }

  /** The UNet's averaged tensors, by the file's names, each one more than the plain one. */
  static Map<String, TensorView> averaged() {
    Map<String, TensorView> all = new LinkedHashMap<>();
    ModelShapes.unet(V1.unet()).keySet().forEach(name -> {
      TensorView plain = tensors(name);
      String stored = LdmKeys.ema(plain.name());
      all.put(stored, TensorView.ofFloats(stored, plain.shape(), plain.toFloats()[0] + 1e9f));
    });
    return all;
  }

  private static TensorView tensors(String unetName) {
    String stored = LdmKeys.unet(unetName);
    return TensorView.ofFloats(stored, new long[] {1}, stored.hashCode());
  }

  static void write(Path file, Map<String, TensorView> tensors, TensorView... more) {
    Map<String, TensorView> all = new LinkedHashMap<>(tensors);
    List.of(more).forEach(tensor -> all.put(tensor.name(), tensor));
    SafeTensorsWriter.write(file, all.values(), Map.of());
  }
}
