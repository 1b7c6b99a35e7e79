// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.motley.testing.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;

/** Results beside goldens. */
final class Compare {

  private Compare() {}

  static float[] values(Tensor tensor) {
    Tensor dense = tensor.detach().contiguous();
    float[] values = new float[Math.toIntExact(dense.numel())];
    new FloatPointer(dense.data_ptr()).get(values);
    return values;
  }

  static Tensor tensor(Golden golden, String name) {
    return Tensor.create(golden.get(name).toFloats(), golden.get(name).shape());
  }

  /** Error against float64 of at most twice PyTorch's own in float32, as maximum and as rms. */
  static void assertAsExactAsPyTorch(Tensor actual, Golden golden, String name) {
    float[] ours = values(actual);
    float[] reference = golden.get(name).toFloats();
    assertThat(ours).hasSameSizeAs(reference);
    double squares = 0;
    double max = 0;
    for (int i = 0; i < ours.length; i++) {
      double error = Math.abs((double) ours[i] - reference[i]);
      max = Math.max(max, error);
      squares += error * error;
    }
    JsonNode allowed =
        golden.meta().get("pytorch_error_against_float64").get("float32").get(name);
    assertThat(Math.sqrt(squares / ours.length))
        .as("rms error of %s", name)
        .isLessThanOrEqualTo(2 * allowed.get("rms").asDouble());
    assertThat(max)
        .as("largest error of %s", name)
        .isLessThanOrEqualTo(2 * allowed.get("max_abs").asDouble());
  }

  /** The golden's configuration as a file of a diffusers folder. */
  static Path config(Golden golden, String className, Path folder) throws IOException {
    ObjectNode config = golden.meta().get("config").deepCopy();
    config.put("_class_name", className);
    return Files.writeString(
        folder.resolve("config.json"), new ObjectMapper().writeValueAsString(config));
  }
}
