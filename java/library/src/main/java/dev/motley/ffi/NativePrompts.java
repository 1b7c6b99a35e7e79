// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Prompts prepared for one {@link NativeUNet}, numbered from 0. */
public final class NativePrompts extends NativeHandle {

  private static final MethodHandle CREATE = Native.bind("motley_prompts_create");
  private static final MethodHandle DESTROY = Native.bind("motley_prompts_destroy");

  private final NativeUNet model;
  private final int count;

  private NativePrompts(MemorySegment pointer, NativeUNet model, int count) {
    super(pointer, DESTROY);
    this.model = model;
    this.count = count;
  }

  static NativePrompts create(
      NativeUNet model, MemorySegment unet, int n, int tokens, float[] context) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_FLOAT, context);
      return new NativePrompts(
          create(
              (out, error) ->
                  (int) CREATE.invokeExact(unet, (long) n, (long) tokens, in, out, error)),
          model,
          n);
    }
  }

  /**
   * Returns how many prompts there are.
   *
   * @return the number of prompts
   */
  public int count() {
    return count;
  }

  NativeUNet model() {
    return model;
  }
}
