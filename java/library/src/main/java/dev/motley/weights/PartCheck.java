// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Compares a network's tensors with those that its configuration asks for. */
final class PartCheck {
  private PartCheck() {}

  /** The shapes of a network of a checkpoint with these configurations, by {@link Part#name}. */
  static Map<String, Map<String, long[]>> expected(UNetConfig unet, VaeConfig vae, TextConfig text) {
    return Map.of(
        "unet", ModelShapes.unet(unet), "vae", ModelShapes.vae(vae), "text_encoder", ModelShapes.text(text));
  }

  /**
   * What is missing, of another shape or type, or too much.
   *
   * @return a line for each fault
   */
  static List<String> faults(Part part, Map<String, long[]> expected) {
    String where = part.file() + ": " + part.name() + ": ";
    if (part.tensors().isEmpty()) {
      return List.of(where + "all " + expected.size() + " tensors are missing");
    }
    List<String> faults = new ArrayList<>();
    expected.forEach(
        (name, shape) -> {
          TensorView tensor = part.tensors().get(name);
          if (tensor == null) {
            faults.add(where + name + " is missing, expected shape " + Arrays.toString(shape));
          } else if (!Arrays.equals(tensor.shape(), shape)) {
            faults.add(
                where + name + " has shape " + Arrays.toString(tensor.shape()) + ", expected " + Arrays.toString(shape));
          } else if (!Rounding.isFloating(tensor.dtype())) {
            faults.add(where + name + " has element type " + tensor.dtype() + ", expected F16, BF16, F32 or F64");
          }
        });
    for (TensorView tensor : part.tensors().values()) {
      if (!expected.containsKey(tensor.name())) {
        faults.add(where + Quote.line(tensor.name()) + " " + Arrays.toString(tensor.shape()) + " is not a tensor of this network");
      }
    }
    return faults;
  }
}
