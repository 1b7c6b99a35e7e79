// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;

/** Turns floating-point tensors into another element type, rounding to the nearest number, ties to the even one. */
final class Rounding {
  private static final int BF16_SHIFT = 16;
  private static final int BF16_HALF = 0x7fff;

  private Rounding() {}

  static boolean isFloating(DType dtype) {
    return switch (dtype) {
      case F16, BF16, F32, F64 -> true;
      default -> false;
    };
  }

  /**
   * The same numbers in another type.
   *
   * @param to F16, BF16 or F32
   * @throws InvalidInputException naming the tensor, if it is not of floating point, or if a finite number would become infinite
   */
  static TensorView to(TensorView tensor, DType to) {
    if (tensor.dtype() == to) {
      return tensor;
    }
    if (!isFloating(tensor.dtype())) {
      throw new InvalidInputException(
          "tensor %s is %s, which does not become %s".formatted(Quote.of(tensor.name()), tensor.dtype(), to));
    }
    float[] values = tensor.dtype() == DType.F64 ? ofDoubles(tensor, to) : tensor.toFloats();
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(Math.multiplyExact(values.length, to.bits() / Byte.SIZE)).order(ByteOrder.LITTLE_ENDIAN);
    switch (to) {
      case F32 -> {
        FloatBuffer out = bytes.asFloatBuffer();
        out.put(values);
      }
      case F16 -> {
        ShortBuffer out = bytes.asShortBuffer();
        for (float value : values) {
          short half = Float.floatToFloat16(value);
          require(Float.isFinite(Float.float16ToFloat(half)) || !Float.isFinite(value), tensor, to, value);
          out.put(half);
        }
      }
      case BF16 -> {
        ShortBuffer out = bytes.asShortBuffer();
        for (float value : values) {
          short half = toBf16(value);
          require(Float.isFinite(Float.intBitsToFloat(half << BF16_SHIFT)) || !Float.isFinite(value), tensor, to, value);
          out.put(half);
        }
      }
      default -> throw new IllegalArgumentException("nothing is written as " + to);
    }
    return new TensorView(tensor.name(), to, tensor.shape(), bytes);
  }

  private static short toBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> BF16_SHIFT | 1 << 6); // stays NaN whatever bits are cut
    }
    return (short) (bits + BF16_HALF + (bits >>> BF16_SHIFT & 1) >>> BF16_SHIFT);
  }

  /**
   * Float64 as float32. On its way to a half the last bit remembers whether anything was cut off, or it would be rounded twice.
   */
  private static float[] ofDoubles(TensorView tensor, DType to) {
    DoubleBuffer from = tensor.data().asDoubleBuffer();
    float[] values = new float[from.remaining()];
    for (int i = 0; i < values.length; i++) {
      double exact = from.get(i);
      float near = (float) exact;
      require(Float.isFinite(near) || !Double.isFinite(exact), tensor, to, exact);
      boolean even = (Float.floatToRawIntBits(near) & 1) == 0;
      if (to != DType.F32 && Double.isFinite(exact) && near != exact && even) {
        near = near < exact ? Math.nextUp(near) : Math.nextDown(near);
      }
      values[i] = near;
    }
    return values;
  }

  private static void require(boolean fits, TensorView tensor, DType to, double value) {
    if (!fits) {
      throw new InvalidInputException(
          "tensor %s holds %s, which is too large for %s".formatted(Quote.of(tensor.name()), value, to));
    }
  }
}
