// SPDX-License-Identifier: Apache-2.0
package dev.motley.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.motley.weights.SafeTensors;
import dev.motley.weights.TensorView;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One result of a public reference library: tensors, and what was run to get them.
 *
 * @param tensors inputs and outputs by name, float32
 * @param meta configuration, names and shapes of the weights, the library's own error
 */
public record Golden(Map<String, TensorView> tensors, JsonNode meta) {

  /**
   * Reads a golden that travels with the native tests, or else one of the shared data, without
   * which the test is skipped.
   *
   * @param name such as {@code unet_small}
   * @return the golden
   */
  public static Golden read(String name) {
    Path own = Shared.repository().resolve("native/test/golden");
    boolean travels = Files.exists(own.resolve(name + ".json"));
    Path folder = travels ? own : Shared.path("golden");
    Map<String, TensorView> copies = new LinkedHashMap<>();
    try (SafeTensors file = SafeTensors.open(folder.resolve(name + ".safetensors"))) {
      file.tensors()
          .forEach(
              (key, view) ->
                  copies.put(key, TensorView.ofFloats(key, view.shape(), view.toFloats())));
      JsonNode meta = new ObjectMapper().readTree(folder.resolve(name + ".json").toFile());
      return new Golden(copies, meta);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read golden " + name, e);
    }
  }

  /**
   * One tensor.
   *
   * @param name in the file
   * @return its values
   */
  public TensorView get(String name) {
    TensorView found = tensors.get(name);
    if (found == null) {
      throw new AssertionError("the golden has no tensor " + name + ", only " + tensors.keySet());
    }
    return found;
  }

  /**
   * The weights that the reference library ran with.
   *
   * @param prefix of the model in the fill rule, such as {@code unet.}
   * @return all floating tensors of its state, in its order
   */
  public Map<String, TensorView> weights(String prefix) {
    Map<String, TensorView> weights = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : meta.get("state_dict").properties()) {
      JsonNode dims = entry.getValue();
      long[] shape = new long[dims.size()];
      for (int i = 0; i < shape.length; i++) {
        shape[i] = dims.get(i).asLong();
      }
      if (!entry.getKey().endsWith("num_batches_tracked")) {
        weights.put(entry.getKey(), Fill.weight(prefix, entry.getKey(), shape));
      }
    }
    return weights;
  }
}
