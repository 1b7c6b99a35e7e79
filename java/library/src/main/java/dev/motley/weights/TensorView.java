// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import java.util.Arrays;

/**
 * A named tensor whose bytes lie elsewhere, usually in a mapped file.
 *
 * @param name the tensor's name in its file
 * @param dtype element type
 * @param shape sizes, slowest first; empty for a scalar
 * @param data the elements, dense, row-major, little-endian; a read-only direct buffer from
 *     position 0 to its limit
 */
public record TensorView(String name, DType dtype, long[] shape, ByteBuffer data) {

  /**
   * Checks that the bytes fit the shape.
   *
   * @throws InvalidInputException if they do not
   */
  public TensorView {
    shape = shape.clone();
    data = data.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    long needed;
    try {
      needed = dtype.bytes(shape);
    } catch (ArithmeticException e) {
      throw new InvalidInputException(
          "tensor "
              + Quote.of(name)
              + ": shape "
              + Arrays.toString(shape)
              + " of "
              + dtype
              + ": "
              + e.getMessage(),
          e);
    }
    if (needed != data.remaining()) {
      throw new InvalidInputException(
          "tensor "
              + Quote.of(name)
              + ": shape "
              + Arrays.toString(shape)
              + " of "
              + dtype
              + " needs "
              + needed
              + " bytes, found "
              + data.remaining());
    }
  }

  /** A float32 tensor; the values are copied. */
  public static TensorView ofFloats(String name, long[] shape, float... values) {
    ByteBuffer bytes = direct(Math.multiplyExact(values.length, Float.BYTES));
    bytes.asFloatBuffer().put(values);
    return new TensorView(name, DType.F32, shape, bytes);
  }

  /** An int64 tensor; the values are copied. */
  public static TensorView ofLongs(String name, long[] shape, long... values) {
    ByteBuffer bytes = direct(Math.multiplyExact(values.length, Long.BYTES));
    bytes.asLongBuffer().put(values);
    return new TensorView(name, DType.I64, shape, bytes);
  }

  /** The same tensor under another name; the bytes are shared. */
  public TensorView renamed(String newName) {
    return new TensorView(newName, dtype, shape, data);
  }

  /**
   * The same bytes as a tensor of another shape.
   *
   * @throws InvalidInputException if that shape has another number of elements
   */
  public TensorView reshaped(long... newShape) {
    return new TensorView(name, dtype, newShape, data);
  }

  /** A copy of the sizes. */
  @Override
  public long[] shape() {
    return shape.clone();
  }

  /** A fresh little-endian view of all bytes; moving its position disturbs nobody. */
  @Override
  public ByteBuffer data() {
    return data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Number of elements. */
  public long elements() {
    return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
  }

  /**
   * The elements as float32: F32 as they are, F16 and BF16 exactly (NaN payloads and subnormals
   * included), F64 rounded to nearest.
   *
   * @throws InvalidInputException for the other types
   */
  public float[] toFloats() {
    ByteBuffer bytes = data();
    return switch (dtype) {
      case F32 -> {
        FloatBuffer from = bytes.asFloatBuffer();
        float[] to = new float[from.remaining()];
        from.get(to);
        yield to;
      }
      case F16 -> {
        ShortBuffer from = bytes.asShortBuffer();
        float[] to = new float[from.remaining()];
        for (int i = 0; i < to.length; i++) {
          to[i] = Float.float16ToFloat(from.get(i));
        }
        yield to;
      }
      case BF16 -> {
        ShortBuffer from = bytes.asShortBuffer();
        float[] to = new float[from.remaining()];
        for (int i = 0; i < to.length; i++) {
          to[i] = Float.intBitsToFloat(from.get(i) << 16);
        }
        yield to;
      }
      case F64 -> {
        var from = bytes.asDoubleBuffer();
        float[] to = new float[from.remaining()];
        for (int i = 0; i < to.length; i++) {
          to[i] = (float) from.get(i);
        }
        yield to;
      }
      default -> throw notOneOf("F32, F16, BF16 or F64");
    };
  }

  /** Whether no element is NaN or infinite as float32; whole numbers never are. */
  public boolean isFinite() {
    return switch (dtype) {
      case F32, F16, BF16, F64 -> {
        for (float value : toFloats()) {
          if (!Float.isFinite(value)) {
            yield false;
          }
        }
        yield true;
      }
      default -> true;
    };
  }

  /**
   * The elements of an I64 tensor.
   *
   * @throws InvalidInputException for the other types
   */
  public long[] toLongs() {
    if (dtype != DType.I64) {
      throw notOneOf("I64");
    }
    LongBuffer from = data().asLongBuffer();
    long[] to = new long[from.remaining()];
    from.get(to);
    return to;
  }

  @Override
  public String toString() {
    return name + " " + dtype + Arrays.toString(shape);
  }

  private InvalidInputException notOneOf(String expected) {
    return new InvalidInputException(
        "tensor " + Quote.of(name) + " is " + dtype + "; expected " + expected);
  }

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
