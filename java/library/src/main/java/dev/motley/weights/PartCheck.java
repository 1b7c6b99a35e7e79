// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Compares a network's tensors with those that its configuration asks for. */
final class PartCheck {
  private static final int MOST_TOLD = 8;

  private PartCheck() {}

  /** The shapes of a network of a checkpoint with these configurations, by {@link Part#name}. */
  static Map<String, Map<String, long[]>> expected(UNetConfig unet, VaeConfig vae, TextConfig text) {
    return Map.of(
        "unet", ModelShapes.unet(unet), "vae", ModelShapes.vae(vae), "text_encoder", ModelShapes.text(text));
  }

  /**
   * What is missing, of another shape or type, or too much.
   *
   * @return a few words for each fault
   */
  static List<String> faults(Part part, Map<String, long[]> expected) {
    if (part.tensors().isEmpty()) {
      return List.of("all " + expected.size() + " tensors are missing");
    }
    List<String> faults = new ArrayList<>();
    expected.forEach(
        (name, shape) -> {
          TensorView tensor = part.tensors().get(name);
          if (tensor == null) {
            faults.add(name + " is missing (expected " + shown(shape) + ")");
          } else if (!fits(tensor.shape(), shape)) {
            faults.add(name + " has shape " + shown(tensor.shape()) + ", expected " + shown(shape));
          } else if (!Rounding.isFloating(tensor.dtype())) {
            faults.add(name + " has element type " + tensor.dtype() + ", expected F16, BF16, F32 or F64");
          }
        });
    for (TensorView tensor : part.tensors().values()) {
      if (!expected.containsKey(tensor.name())) {
        faults.add(Quote.line(tensor.name()) + " " + shown(tensor.shape()) + " is not part of the model");
      }
    }
    return faults;
  }

  /** A matrix may be stored as a 1 x 1 convolution. */
  private static boolean fits(long[] found, long[] expected) {
    boolean matrix = expected.length == 2 && found.length == 4 && found[2] == 1 && found[3] == 1;
    return Arrays.equals(matrix ? Arrays.copyOf(found, 2) : found, expected);
  }

  private static String shown(long[] shape) {
    return Arrays.toString(shape).replace('[', '(').replace(']', ')');
  }

  /**
   * Refuses a model whose networks are not whole.
   *
   * @throws InvalidInputException one line with the first faults of a network
   */
  static void requireWhole(Checkpoint model) {
    var expected = expected(model.unetConfig(), model.vaeConfig(), model.textConfig());
    for (Part part : model.parts()) {
      List<String> faults = faults(part, expected.get(part.name()));
      if (!faults.isEmpty()) {
        String more = faults.size() > MOST_TOLD ? "; and " + (faults.size() - MOST_TOLD) + " more" : "";
        throw new InvalidInputException(
            part.file() + ": " + part.name() + ": " + String.join("; ", faults.stream().limit(MOST_TOLD).toList()) + more);
      }
    }
  }
}
