// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** A CLIP vision transformer with its projection: pictures to embeddings. */
public final class NativeVisionEncoder extends NativeHandle {

  private static final MethodHandle CREATE = Native.bind("motley_vision_create");
  private static final MethodHandle DESTROY = Native.bind("motley_vision_destroy");
  private static final MethodHandle ENCODE = Native.bind("motley_vision_encode");

  private static final int CHANNELS = 3;

  private final VisionConfig config;

  private NativeVisionEncoder(MemorySegment pointer, VisionConfig config) {
    super(pointer, DESTROY);
    this.config = config;
  }

  /**
   * Makes the model.
   *
   * @param config its shape
   * @param weights all of its tensors and no others, by the names of transformers' {@code
   *     CLIPVisionModelWithProjection}
   * @return the model, independent of {@code weights} from now on
   * @throws dev.motley.InvalidInputException naming each missing, extra or mis-shaped tensor
   */
  public static NativeVisionEncoder create(VisionConfig config, NativeWeights weights) {
    try (Arena arena = Arena.ofConfined();
        Use tensors = weights.useData()) {
      MemorySegment c = config.toC(arena);
      return new NativeVisionEncoder(
          create((out, error) -> (int) CREATE.invokeExact(c, tensors.pointer(), out, error)),
          config);
    }
  }

  /**
   * Encodes pictures.
   *
   * @param pixels (n, 3, imageSize, imageSize), normalised
   * @return (n, projection): image embeddings as they come, not scaled to length 1
   */
  public float[] encode(float[] pixels) {
    int size = config.imageSize();
    int n = Sizes.count("pixels", pixels.length, CHANNELS, size, size);
    int length = Sizes.length("embeddings", n, config.projection());
    try (Use self = use();
        Arena arena = Arena.ofConfined()) {
      MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_FLOAT, pixels);
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
  public VisionConfig config() {
    return config;
  }
}
