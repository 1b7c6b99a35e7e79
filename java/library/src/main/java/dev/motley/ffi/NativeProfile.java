// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import com.fasterxml.jackson.databind.JsonNode;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * What every kind of layer took while {@link #of} ran something. A layer's seconds are weighted with its share of the threads, so
 * that they add up to the whole but for what is outside of layers and for threads that wait.
 *
 * @param seconds from beginning to end
 * @param layers the slowest kind first
 */
public record NativeProfile(double seconds, List<Layer> layers) {

  private static final MethodHandle START = Native.bind("motley_profile_start");
  private static final MethodHandle STOP = Native.bind("motley_profile_stop");
  private static final MethodHandle JSON = Native.bind("motley_profile_json");

  private static final int MOST_BYTES = 1 << 22; // a model has hundreds of kinds of layers, not ten thousands

  /**
   * The sum over all calls of a kind of layer.
   *
   * @param op such as {@code conv2d}
   * @param shape what matters of it, such as {@code 3x3 320->320 @64x64}
   * @param flops two for each multiply-add of the layer as published, though fewer may have been done
   * @param bytes its inputs, weights and results once, as stored
   */
  public record Layer(String op, String shape, long calls, double seconds, double flops, double bytes) {}

  /** Takes the profile of what a task computes. Nothing else may compute meanwhile. */
  public static NativeProfile of(Runnable task) {
    NativeRuntime.require();
    call(START);
    try {
      task.run();
    } finally {
      call(STOP);
    }
    return read(Native.json(MOST_BYTES, (buffer, capacity, error) -> (int) JSON.invokeExact(buffer, capacity, error)));
  }

  private static void call(MethodHandle function) {
    Native.plain(
        () -> {
          function.invokeExact();
          return true;
        });
  }

  private static NativeProfile read(JsonNode json) {
    var layers = new ArrayList<Layer>();
    for (JsonNode op : json.path("ops")) {
      layers.add(
          new Layer(
              op.path("op").asText(),
              op.path("shape").asText(),
              op.path("calls").asLong(),
              op.path("seconds").asDouble(),
              op.path("flops").asDouble(),
              op.path("bytes").asDouble()));
    }
    return new NativeProfile(json.path("seconds").asDouble(), List.copyOf(layers));
  }
}
