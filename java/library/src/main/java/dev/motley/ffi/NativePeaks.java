// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static java.lang.foreign.MemoryLayout.PathElement.groupElement;

import dev.motley.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * What this machine does at most, with all threads at once.
 *
 * @param multiplyAdd floating-point operations a second on registers alone, of the units that multiply matrices in the precision
 * @param product the same of one large matrix product
 * @param copy bytes a second, read and written, by a copy that no cache holds
 */
public record NativePeaks(double multiplyAdd, double product, double copy) {

  private static final MethodHandle MEASURE = Native.bind("motley_measure_peaks");

  /** Measures them, which takes a few seconds of an idle machine. */
  public static NativePeaks measure(Precision precision) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment peaks = arena.allocate(Header.PEAKS);
      Native.check(error -> (int) MEASURE.invokeExact(precision.ordinal(), peaks, error));
      return new NativePeaks(field(peaks, "multiply_add"), field(peaks, "product"), field(peaks, "copy"));
    }
  }

  private static double field(MemorySegment peaks, String name) {
    return peaks.get(ValueLayout.JAVA_DOUBLE, Header.PEAKS.byteOffset(groupElement(name)));
  }
}
