// SPDX-License-Identifier: Apache-2.0
package dev.motley.onnx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** An ONNX model in the making; field numbers are those of onnx.proto. */
final class OnnxModel {
  /** With Gelu. */
  private static final int OPSET = 20;

  private static final int IR_VERSION = 9;
  private static final int FLOAT = 1;
  private static final int INT64 = 7;
  private static final int ATTRIBUTE_FLOAT = 1;
  private static final int ATTRIBUTE_INT = 2;
  private static final int ATTRIBUTE_INTS = 7;

  private final Message graph = new Message();
  private final Set<String> initializers = new HashSet<>();
  private int names;

  /** An attribute of a node: a float, an int or ints. */
  sealed interface Attribute {
    String name();

    record Real(String name, float value) implements Attribute {}

    record Whole(String name, long value) implements Attribute {}

    record Wholes(String name, long... values) implements Attribute {}
  }

  /** Adds a node with one output, and gives it its name. */
  String node(String type, List<String> inputs, Attribute... attributes) {
    String output = type.toLowerCase(java.util.Locale.ROOT) + "_" + ++names;
    node(type, inputs, output, attributes);
    return output;
  }

  /** Adds a node with one output of a given name. */
  void node(String type, List<String> inputs, String output, Attribute... attributes) {
    var node = new Message();
    inputs.forEach(input -> node.text(1, input));
    node.text(2, output).text(3, output).text(4, type);
    for (Attribute attribute : attributes) {
      node.message(5, attribute(attribute));
    }
    graph.message(1, node);
  }

  private static Message attribute(Attribute attribute) {
    var message = new Message().text(1, attribute.name());
    switch (attribute) {
      case Attribute.Real(_, float value) -> message.number(2, value).number(20, ATTRIBUTE_FLOAT);
      case Attribute.Whole(_, long value) -> message.number(3, value).number(20, ATTRIBUTE_INT);
      case Attribute.Wholes(_, long[] values) -> {
        for (long value : values) {
          message.number(8, value);
        }
        message.number(20, ATTRIBUTE_INTS);
      }
    }
    return message;
  }

  /** Adds a float tensor, once. */
  String floats(String name, List<Long> shape, Supplier<float[]> values) {
    if (initializers.add(name)) {
      var tensor = new Message();
      shape.forEach(size -> tensor.number(1, size));
      long count = shape.stream().reduce(1L, Math::multiplyExact);
      graph.message(5, tensor.number(2, FLOAT).text(8, name).content(9, count * Float.BYTES, () -> bytes(values.get())));
    }
    return name;
  }

  /** Adds an int64 vector. */
  String wholes(long... values) {
    String name = "constant_" + ++names;
    ByteBuffer content = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    content.asLongBuffer().put(values);
    graph.message(
        5, new Message().number(1, values.length).number(2, INT64).text(8, name).content(9, content.capacity(), content::duplicate));
    return name;
  }

  private static ByteBuffer bytes(float[] values) {
    ByteBuffer content = ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    FloatBuffer floats = content.asFloatBuffer();
    floats.put(values);
    return content;
  }

  /** Ends the graph. Shapes begin with the batch, which is left open. */
  Message finished(
      String name, String input, List<Long> inputShape, String output, List<Long> outputShape, String version, Map<String, String> metadata) {
    graph.text(2, name).message(11, value(input, inputShape)).message(12, value(output, outputShape));
    var model =
        new Message()
            .number(1, IR_VERSION)
            .text(2, "motley")
            .text(3, version)
            .message(7, graph)
            .message(8, new Message().text(1, "").number(2, OPSET));
    metadata.forEach((key, text) -> model.message(14, new Message().text(1, key).text(2, text)));
    return model;
  }

  private static Message value(String name, List<Long> shape) {
    var sizes = new Message().message(1, new Message().text(2, "batch"));
    shape.stream().skip(1).forEach(size -> sizes.message(1, new Message().number(1, size)));
    var tensor = new Message().number(1, FLOAT).message(2, sizes);
    return new Message().text(1, name).message(2, new Message().message(1, tensor));
  }
}
