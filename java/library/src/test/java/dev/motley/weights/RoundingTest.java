// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class RoundingTest {
  private static TensorView floats(float... values) {
    return TensorView.ofFloats("w", new long[] {values.length}, values);
  }

  private static TensorView doubles(double... values) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asDoubleBuffer().put(values);
    return new TensorView("w", DType.F64, new long[] {values.length}, bytes);
  }

  /** Halves have 11 bits, bf16 8: the numbers between two neighbours go to the even one. */
  @ParameterizedTest
  @CsvSource({
    "F16, 2049, 2048", "F16, 2051, 2052", "F16, 2049.001, 2050", "F16, 65519, 65504", "F16, 2.9802322e-8, 0",
    "BF16, 257, 256", "BF16, 259, 260", "BF16, 257.01, 258", "BF16, -257, -256", "BF16, 3.3895e38, 3.3895314e38"
  })
  void roundsToTheNearestEven(DType to, float value, float expected) {
    assertThat(Rounding.to(floats(value), to).toFloats()).containsExactly(expected);
    assertThat(Rounding.to(doubles(value), to).toFloats()).containsExactly(expected);
  }

  /** Just above a tie by less than float32 can tell: rounding twice would make it the tie. */
  @Test
  void float64IsRoundedOnce() {
    assertThat(Rounding.to(doubles(2049 + 1e-12), DType.F16).toFloats()).containsExactly(2050);
    assertThat(Rounding.to(doubles(257 - 1e-12), DType.BF16).toFloats()).containsExactly(256);
    assertThat(Rounding.to(doubles(259 - 1e-12), DType.BF16).toFloats()).containsExactly(258);
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void everyHalfComesBack(DType half) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(2 << 16).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 1 << 16; i++) {
      bytes.putShort(2 * i, (short) i);
    }
    var all = new TensorView("w", half, new long[] {1 << 16}, bytes);
    TensorView back = Rounding.to(Rounding.to(all, DType.F32), half);
    float[] expected = all.toFloats();
    float[] values = back.toFloats();
    for (int i = 0; i < values.length; i++) {
      assertThat(Float.isNaN(expected[i]) ? Float.isNaN(values[i]) : back.data().getShort(2 * i) == (short) i)
          .as("half %x", i)
          .isTrue();
    }
  }

  @Test
  void whatDoesNotFitIsNamed() {
    assertThatThrownBy(() -> Rounding.to(floats(1, 65520), DType.F16))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("tensor \"w\" holds 65520.0, which is too large for F16");
    assertThatThrownBy(() -> Rounding.to(floats(Float.MAX_VALUE), DType.BF16)).hasMessageContaining("too large for BF16");
    for (DType to : new DType[] {DType.F32, DType.F16, DType.BF16}) {
      assertThatThrownBy(() -> Rounding.to(doubles(1e300), to)).hasMessage("tensor \"w\" holds 1.0E300, which is too large for " + to);
    }
    assertThatThrownBy(() -> Rounding.to(TensorView.ofLongs("n", new long[] {1}, 1), DType.F16))
        .hasMessage("tensor \"n\" is I64, which does not become F16");
    float[] special = {Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, -0f};
    assertThat(Rounding.to(floats(special), DType.F16).toFloats()).containsExactly(special);
    assertThat(Rounding.to(floats(special), DType.BF16).toFloats()).containsExactly(special);
    assertThat(Rounding.to(floats(Float.intBitsToFloat(0x7f800001)), DType.BF16).toFloats()).containsExactly(Float.NaN);
  }
}
