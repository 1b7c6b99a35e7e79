// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class NativeWeightsTest {

  @Test
  void takesDirectAndHeapBuffersOfTheRightSize() {
    long before = NativeRuntime.liveBytes();
    try (var weights = NativeWeights.create()) {
      weights
          .add("direct", DType.F32, new long[] {2, 3}, ByteBuffer.allocateDirect(24))
          .add("heap", DType.BF16, new long[] {4}, ByteBuffer.allocate(8))
          .add("scalar", DType.I64, new long[0], ByteBuffer.allocate(8));
    }
    assertThat(NativeRuntime.liveBytes()).isEqualTo(before);
  }

  @Test
  void namesTheTensorAndBothSizes() {
    try (var weights = NativeWeights.create()) {
      assertThatThrownBy(
              () ->
                  weights.add(
                      "conv_in.weight", DType.F32, new long[] {2, 3}, ByteBuffer.allocate(20)))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage("conv_in.weight has 20 bytes, expected 24 for F32 [2, 3]");
      assertThatThrownBy(() -> weights.add("deep", DType.U8, new long[7], ByteBuffer.allocate(0)))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("deep", "7", "6");
    }
  }

  @Test
  void refusesTheSameNameTwice() {
    try (var weights = NativeWeights.create()) {
      weights.add("bias", DType.F32, new long[] {1}, ByteBuffer.allocate(4));
      assertThatThrownBy(
              () -> weights.add("bias", DType.F32, new long[] {1}, ByteBuffer.allocate(4)))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("bias");
    }
  }

  @Test
  void closesOnceHoweverOftenAsked() {
    var weights = NativeWeights.create();
    weights.close();
    assertThatCode(weights::close).doesNotThrowAnyException();
    assertThatThrownBy(() -> weights.add("late", DType.F32, new long[] {1}, ByteBuffer.allocate(4)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("NativeWeights is closed");
  }

  @Test
  void dataMustStillBeMapped() {
    try (var weights = NativeWeights.create()) {
      try (Arena mapping = Arena.ofConfined()) {
        weights.add("w", DType.F32, new long[] {1}, mapping.allocate(4, 4).asByteBuffer());
        assertThatCode(() -> weights.useData().close()).doesNotThrowAnyException();
      }
      assertThatThrownBy(weights::useData)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("unmapped");
    }
  }
}
