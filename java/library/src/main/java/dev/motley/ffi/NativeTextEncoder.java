// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** A CLIP text transformer: token ids to the hidden states that condition a UNet. */
public final class NativeTextEncoder extends NativeHandle {

  private static final MethodHandle CREATE = Native.bind("motley_text_create");
  private static final MethodHandle DESTROY = Native.bind("motley_text_destroy");
  private static final MethodHandle ENCODE = Native.bind("motley_text_encode");

  private final TextConfig config;

  private NativeTextEncoder(MemorySegment pointer, TextConfig config) {
    super(pointer, DESTROY);
    this.config = config;
  }

  /**
   * Makes the model.
   *
   * @param config its shape
   * @param weights all of its tensors and no others, by transformers' names
   * @return the model, independent of {@code weights} from now on
   * @throws dev.motley.InvalidInputException naming each missing, extra or mis-shaped tensor
   */
  public static NativeTextEncoder create(TextConfig config, NativeWeights weights) {
    try (Arena arena = Arena.ofConfined();
        Use tensors = weights.useData()) {
      MemorySegment c = config.toC(arena);
      return new NativeTextEncoder(
          create((out, error) -> (int) CREATE.invokeExact(c, tensors.pointer(), out, error)),
          config);
    }
  }

  /**
   * Encodes prompts.
   *
   * @param ids (n, positions) in [0, vocabulary)
   * @return (n, positions, width): the last hidden state after the final norm
   */
  public float[] encode(int[] ids) {
    int n = Sizes.count("token ids", ids.length, config.positions());
    int length = Sizes.length("hidden states", n, config.positions(), config.width());
    try (Use self = use();
        Arena arena = Arena.ofConfined()) {
      MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_INT, ids);
      MemorySegment out = arena.allocate(ValueLayout.JAVA_FLOAT, length);
      Native.check(error -> (int) ENCODE.invokeExact(self.pointer(), (long) n, in, out, error));
      return out.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  /**
   * Returns the shape of the model.
   *
   * @return the configuration it was made from
   */
  public TextConfig config() {
    return config;
  }
}
