// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * One network of a checkpoint.
 *
 * @param name diffusers' name of it: {@code unet}, {@code vae}, {@code text_encoder}, {@code safety_checker}
 * @param file that its weights come from, for messages
 * @param tensors by the classic names of diffusers and transformers, whatever the file calls them
 */
public record Part(String name, Path file, Map<String, TensorView> tensors) {

  /** Keeps the order of the tensors. */
  public Part {
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
  }

  /** How many numbers it holds. */
  public long parameters() {
    return tensors.values().stream().mapToLong(TensorView::elements).sum();
  }

  /** How many bytes these take in the file. */
  public long bytes() {
    return tensors.values().stream().mapToLong(TensorView::bytes).sum();
  }

  /** How many tensors there are of each element type. */
  public Map<DType, Integer> dtypes() {
    Map<DType, Integer> counts = new TreeMap<>();
    tensors.values().forEach(tensor -> counts.merge(tensor.dtype(), 1, Integer::sum));
    return counts;
  }
}
