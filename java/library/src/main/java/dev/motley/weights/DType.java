// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.util.Arrays;
import java.util.Optional;

/** Element types of the safetensors format; the constants are spelled as in its headers. */
public enum DType {
  BOOL(8),
  F4(4),
  F6_E2M3(6),
  F6_E3M2(6),
  U8(8),
  I8(8),
  F8_E5M2(8),
  F8_E4M3(8),
  F8_E8M0(8),
  F8_E4M3FNUZ(8),
  F8_E5M2FNUZ(8),
  I16(16),
  U16(16),
  F16(16),
  BF16(16),
  I32(32),
  U32(32),
  F32(32),
  C64(64),
  F64(64),
  I64(64),
  U64(64);

  private final int bits;

  DType(int bits) {
    this.bits = bits;
  }

  /** Bits of one element. */
  public int bits() {
    return bits;
  }

  /** The type with that exact spelling. */
  static Optional<DType> named(String name) {
    return Arrays.stream(values()).filter(type -> type.name().equals(name)).findFirst();
  }

  /**
   * Bytes that a tensor of this type takes.
   *
   * @throws ArithmeticException if the size overflows a long or is not a whole number of bytes
   */
  long bytes(long[] shape) {
    long total = bits;
    for (long size : shape) {
      try {
        total = Math.multiplyExact(total, size);
      } catch (ArithmeticException e) {
        throw new ArithmeticException("more than 64 bits count");
      }
    }
    if (total % 8 != 0) {
      throw new ArithmeticException("not a whole number of bytes");
    }
    return total / 8;
  }
}
