// SPDX-License-Identifier: Apache-2.0
package dev.motley.onnx;

import dev.motley.onnx.OnnxModel.Attribute.Wholes;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the values of the graph are called in the model, images in either layout: the other one is made where it is asked for. */
final class Values {
  private final OnnxModel model;
  private final Map<String, Value> values = new HashMap<>();

  Values(OnnxModel model) {
    this.model = model;
  }

  /** Plain: no image. */
  private record Value(Optional<String> plain, EnumMap<Layout, String> images, Layout first, long channels) {}

  /** A value that is no image. */
  void add(String value, String name) {
    values.put(value, new Value(Optional.of(name), new EnumMap<>(Layout.class), Layout.NHWC, 0));
  }

  /** Images of three channels. */
  void add(String value, String name, Layout layout) {
    add(value, name, layout, 3);
  }

  void add(String value, String name, Layout layout, long channels) {
    values.put(value, new Value(Optional.empty(), new EnumMap<>(Map.of(layout, name)), layout, channels));
  }

  /** Another name for a value. */
  void same(String value, String as) {
    values.put(value, of(as));
  }

  long channels(String value) {
    return of(value).channels;
  }

  /** The layout that it was made in. */
  Layout layout(String value) {
    return of(value).first;
  }

  String plain(String value) {
    return of(value).plain.orElseThrow(() -> new IllegalStateException(value + " is an image"));
  }

  /** The name of a value in a layout, which only images have. */
  String in(Layout layout, String value) {
    Value found = of(value);
    return found.plain.orElseGet(
        () ->
            found.images.computeIfAbsent(
                layout,
                wanted ->
                    model.node(
                        "Transpose",
                        List.of(found.images.get(found.first)),
                        wanted == Layout.NCHW ? new Wholes("perm", 0, 3, 1, 2) : new Wholes("perm", 0, 2, 3, 1))));
  }

  private Value of(String value) {
    Value found = values.get(value);
    if (found == null) {
      throw new IllegalStateException("no op made the value " + value);
    }
    return found;
  }
}
