// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

/** Element types of tensors handed to the native core. All are little-endian. */
public enum DType {
  /** IEEE binary32. */
  F32(4),
  /** IEEE binary16. */
  F16(2),
  /** The upper half of a binary32. */
  BF16(2),
  /** IEEE binary64. */
  F64(8),
  /** Unsigned byte. */
  U8(1),
  /** Signed 64-bit integer. */
  I64(8);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /**
   * Returns the size of one element.
   *
   * @return bytes
   */
  public int bytes() {
    return bytes;
  }

  /** The value of motley.h, where the types stand in this order. */
  int code() {
    return ordinal();
  }
}
