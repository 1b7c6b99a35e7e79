// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static java.lang.foreign.MemoryLayout.PathElement.groupElement;
import static java.lang.foreign.MemoryLayout.PathElement.sequenceElement;

import dev.motley.Normalisation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * A C struct filled field by field. Looks each field up by name, so it is for structs made once per
 * call or less often.
 */
final class Struct {

  private final StructLayout layout;
  private final MemorySegment segment;

  private Struct(StructLayout layout, MemorySegment segment) {
    this.layout = layout;
    this.segment = segment;
  }

  /** A zeroed struct, with {@code struct_size} set where the layout has that field. */
  static Struct allocate(Arena arena, StructLayout layout) {
    var struct = new Struct(layout, arena.allocate(layout));
    if (layout.memberLayouts().getFirst().name().filter("struct_size"::equals).isPresent()) {
      struct.put("struct_size", layout.byteSize());
    }
    return struct;
  }

  /** The struct of a normalisation. */
  static Struct of(Arena arena, Normalisation normalisation) {
    Struct struct = allocate(arena, Header.NORMALISATION);
    float[] values = {
      normalisation.meanRed(), normalisation.meanGreen(), normalisation.meanBlue(),
      normalisation.stdRed(), normalisation.stdGreen(), normalisation.stdBlue()
    };
    MemorySegment.copy(values, 0, struct.segment, ValueLayout.JAVA_FLOAT, 0, values.length);
    return struct;
  }

  Struct put(String field, int value) {
    layout.varHandle(groupElement(field)).set(segment, 0L, value);
    return this;
  }

  Struct put(String field, boolean value) {
    return put(field, value ? 1 : 0);
  }

  Struct put(String field, long value) {
    layout.varHandle(groupElement(field)).set(segment, 0L, value);
    return this;
  }

  Struct put(String field, double value) {
    layout.varHandle(groupElement(field)).set(segment, 0L, value);
    return this;
  }

  Struct put(String field, MemorySegment value) {
    layout.varHandle(groupElement(field)).set(segment, 0L, value);
    return this;
  }

  /** Fills the first {@code values.size()} elements of an int array field. */
  Struct putInts(String field, List<Integer> values) {
    var element = layout.varHandle(groupElement(field), sequenceElement());
    for (int i = 0; i < values.size(); i++) {
      element.set(segment, 0L, (long) i, (int) values.get(i));
    }
    return this;
  }

  /** Fills the first {@code values.size()} elements of an int array field with 0 and 1. */
  Struct putFlags(String field, List<Boolean> values) {
    return putInts(field, values.stream().map(value -> value ? 1 : 0).toList());
  }

  /** Copies a whole struct into a field of that struct's type. */
  Struct put(String field, Struct value) {
    MemoryLayout member = layout.select(groupElement(field));
    segment
        .asSlice(layout.byteOffset(groupElement(field)), member.byteSize())
        .copyFrom(value.segment);
    return this;
  }

  MemorySegment segment() {
    return segment;
  }
}
