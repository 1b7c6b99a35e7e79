// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * How a tensor lies in a storage: element (i0, i1, ...) at byte {@code offset + elementBytes * (i0 * stride0 + i1 * stride1 + ...)}.
 *
 * @param dtype element type, of whole bytes
 * @param size sizes, slowest first, at least 0
 * @param stride distances in elements, at least 0
 * @param begin first byte in the storage
 * @param span bytes from the first to behind the last; 0 if there are none
 */
record StridedLayout(DType dtype, long[] size, long[] stride, long begin, long span) {
  /** PyTorch's own limit is 64 dimensions. */
  static final int MAX_RANK = 64;

  /**
   * A layout.
   *
   * @param offset of the first element, in elements
   * @throws ArithmeticException if the bytes of the dense tensor, or those that it reaches, overflow a long
   */
  static StridedLayout of(DType dtype, long[] size, long[] stride, long offset) {
    long elementBytes = dtype.bits() / Byte.SIZE;
    long last = 0;
    for (int i = 0; i < size.length; i++) {
      last = Math.addExact(last, Math.multiplyExact(Math.max(0, size[i] - 1), stride[i]));
    }
    long begin = Math.multiplyExact(offset, elementBytes);
    long span = dtype.bytes(size) == 0 ? 0 : Math.multiplyExact(Math.addExact(last, 1), elementBytes);
    Math.addExact(begin, span);
    return new StridedLayout(dtype, size, stride, begin, span);
  }

  /** Bytes of the dense tensor. */
  long denseBytes() {
    return dtype.bytes(size);
  }

  /** Whether the elements lie one behind the other, slowest dimension first. */
  boolean isDense() {
    long expected = 1;
    for (int i = size.length - 1; i >= 0; i--) {
      // The stride of a single element is never taken.
      if (size[i] != 1 && stride[i] != expected) {
        return denseBytes() == 0;
      }
      expected *= size[i];
    }
    return true;
  }

  /**
   * A dense copy.
   *
   * @param from the {@link #span} bytes that the tensor reaches
   */
  ByteBuffer copy(ByteBuffer from) {
    ByteBuffer to = ByteBuffer.allocateDirect(Math.toIntExact(denseBytes())).order(ByteOrder.LITTLE_ENDIAN);
    if (to.hasRemaining()) {
      copy(from.duplicate().order(ByteOrder.LITTLE_ENDIAN), 0, 0, to);
    }
    return to.flip();
  }

  private void copy(ByteBuffer from, int element, int dimension, ByteBuffer to) {
    int step = (int) stride[dimension];
    boolean innermost = dimension == size.length - 1;
    for (int i = 0; i < size[dimension]; i++) {
      if (innermost) {
        copyElement(from, element + i * step, to);
      } else {
        copy(from, element + i * step, dimension + 1, to);
      }
    }
  }

  private void copyElement(ByteBuffer from, int element, ByteBuffer to) {
    switch (dtype.bits()) {
      case 8 -> to.put(from.get(element));
      case 16 -> to.putShort(from.getShort(2 * element));
      case 32 -> to.putInt(from.getInt(4 * element));
      default -> to.putLong(from.getLong(8 * element));
    }
  }
}
