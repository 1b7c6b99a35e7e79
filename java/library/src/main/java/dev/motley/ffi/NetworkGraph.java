// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a classifier computes, op by op. Values are named: {@code input}, the image (1, size, size, 3); a tensor by its own name;
 * results of ops {@code %1}, {@code %2}, ... Activations are NHWC.
 *
 * @param output the value that is the logits
 * @param nodes in the order of computation
 */
public record NetworkGraph(String output, List<Node> nodes) {

  /**
   * One op.
   *
   * @param op its name, such as {@code conv2d}
   * @param inputs values; empty ones are left out
   * @param output the value it makes
   * @param shape of the output, for one image
   * @param attributes numbers by name
   */
  public record Node(
      String op, List<Optional<String>> inputs, String output, List<Long> shape, Map<String, Double> attributes) {

    /** A number that the op is known to have. */
    public double attribute(String name) {
      Double value = attributes.get(name);
      if (value == null) {
        throw new IllegalArgumentException(op + " has no attribute " + name);
      }
      return value;
    }
  }

  static NetworkGraph of(JsonNode json) {
    return new NetworkGraph(json.path("output").asText(), json.path("nodes").valueStream().map(NetworkGraph::node).toList());
  }

  private static Node node(JsonNode json) {
    Map<String, Double> attributes = new HashMap<>();
    json.properties().stream()
        .filter(field -> field.getValue().isNumber())
        .forEach(field -> attributes.put(field.getKey(), field.getValue().asDouble()));
    return new Node(
        json.path("op").asText(),
        json.path("inputs").valueStream()
            .map(input -> input.isNull() ? Optional.<String>empty() : Optional.of(input.asText()))
            .collect(Collectors.toList()),
        json.path("output").asText(),
        json.path("shape").valueStream().map(JsonNode::asLong).toList(),
        attributes);
  }
}
