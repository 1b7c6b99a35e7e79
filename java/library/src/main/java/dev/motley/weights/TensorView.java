// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * A named tensor whose bytes lie elsewhere, usually in a mapped file. Name, type and shape are at hand; the bytes are looked at, or where
 * the file does not hold them in order made, only when {@link #data} asks for them.
 */
public final class TensorView {
  private final String name;
  private final DType dtype;
  private final long[] shape;
  private final Supplier<ByteBuffer> data;

  private TensorView(String name, DType dtype, long[] shape, Supplier<ByteBuffer> data) {
    this.name = name;
    this.dtype = dtype;
    this.shape = shape.clone();
    this.data = data;
  }

  /**
   * A tensor whose bytes are there.
   *
   * @param name the tensor's name in its file
   * @param dtype element type
   * @param shape sizes, slowest first; empty for a scalar
   * @param data the elements, dense, row-major, little-endian; from the buffer's position to its limit
   * @throws InvalidInputException if the bytes do not fit the shape
   */
  public TensorView(String name, DType dtype, long[] shape, ByteBuffer data) {
    this(name, dtype, shape, constant(data.asReadOnlyBuffer()));
    requireSize(data.remaining());
  }

  /**
   * A tensor whose bytes are made anew each time that they are asked for.
   *
   * @param data as many as the shape needs, in a buffer that is the caller's to keep
   */
  static TensorView lazy(String name, DType dtype, long[] shape, Supplier<ByteBuffer> data) {
    return new TensorView(name, dtype, shape, data);
  }

  private static Supplier<ByteBuffer> constant(ByteBuffer data) {
    return data::duplicate;
  }

  private void requireSize(long found) {
    String what = "tensor " + Quote.of(name) + ": shape " + Arrays.toString(shape) + " of " + dtype;
    long needed;
    try {
      needed = bytes();
    } catch (ArithmeticException e) {
      throw new InvalidInputException(what + ": " + e.getMessage(), e);
    }
    if (needed != found) {
      throw new InvalidInputException(what + " needs " + needed + " bytes, found " + found);
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
    var reshaped = new TensorView(name, dtype, newShape, data);
    reshaped.requireSize(bytes());
    return reshaped;
  }

  /** Its name in its file, or the one that it has by now. */
  public String name() {
    return name;
  }

  /** Element type. */
  public DType dtype() {
    return dtype;
  }

  /** A copy of the sizes, slowest first; empty for a scalar. */
  public long[] shape() {
    return shape.clone();
  }

  /**
   * All elements, dense, row-major: a fresh read-only, little-endian buffer, direct where the tensor lies in a file; moving its position
   * disturbs nobody. Of a strided tensor of a PyTorch checkpoint this is a copy, which memory holds as long as the buffer.
   */
  public ByteBuffer data() {
    return data.get().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Number of bytes that the elements take; reads none. */
  public long bytes() {
    return dtype.bytes(shape);
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
