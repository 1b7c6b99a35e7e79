// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.InvalidInputException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A named set of tensors from which models are made. Direct buffers are taken by reference, so that
 * a mapped file is not copied: they must stay mapped until the models have been made. What was read of a mapped file leaves
 * memory again.
 */
public final class NativeWeights extends NativeHandle {

  private static final MethodHandle CREATE = Native.bind("motley_weights_create");
  private static final MethodHandle DESTROY = Native.bind("motley_weights_destroy");
  private static final MethodHandle ADD = Native.bind("motley_weights_add");

  private final List<MemorySegment> data = new CopyOnWriteArrayList<>();

  private NativeWeights(MemorySegment pointer) {
    super(pointer, DESTROY);
  }

  /**
   * Makes an empty set.
   *
   * @return the set
   */
  public static NativeWeights create() {
    return new NativeWeights(create((out, error) -> (int) CREATE.invokeExact(out, error)));
  }

  /**
   * Adds a tensor.
   *
   * @param name the part's own name as in diffusers, for example {@code conv_in.weight}
   * @param type the type of its elements
   * @param shape slowest dimension first; empty for a scalar, at most 6
   * @param content the elements between position and limit, little-endian; a heap buffer is copied
   * @return this set
   */
  public NativeWeights add(String name, DType type, long[] shape, ByteBuffer content) {
    Sizes.range(name + ": the number of dimensions", shape.length, 0, Header.MAX_DIMS);
    long expected = Sizes.elements(name, shape) * type.bytes();
    if (content.remaining() != expected) {
      throw new InvalidInputException(
          name
              + " has "
              + content.remaining()
              + " bytes, expected "
              + expected
              + " for "
              + type
              + " "
              + Arrays.toString(shape));
    }
    MemorySegment segment = nativeSegment(content);
    try (Use self = use();
        Arena arena = Arena.ofConfined()) {
      MemorySegment cName = arena.allocateFrom(name);
      MemorySegment cShape = arena.allocateFrom(ValueLayout.JAVA_LONG, shape);
      Native.check(
          error ->
              (int)
                  ADD.invokeExact(
                      self.pointer(),
                      cName,
                      type.code(),
                      shape.length,
                      cShape,
                      segment,
                      segment.byteSize(),
                      segment.isMapped() && segment.isReadOnly() ? 1 : 0,
                      error));
      data.add(segment);
    }
    return this;
  }

  private static MemorySegment nativeSegment(ByteBuffer content) {
    MemorySegment segment = MemorySegment.ofBuffer(content);
    return segment.isNative()
        ? segment
        : Arena.ofAuto().allocate(Math.max(1, segment.byteSize()), 64).copyFrom(segment);
  }

  /** Like {@link #use}, for a call that reads the tensors: each must still be mapped. */
  Use useData() {
    Use use = use();
    if (!data.stream().allMatch(segment -> segment.scope().isAlive())) {
      use.close();
      throw new IllegalStateException(
          "the weights' file was unmapped before the model was made from it");
    }
    return use;
  }
}
