// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;

/**
 * How pixels become network inputs: (pixel / 255 - mean) / std, per channel.
 *
 * @param meanRed mean of the first channel
 * @param meanGreen mean of the second channel
 * @param meanBlue mean of the third channel
 * @param stdRed standard deviation of the first channel, above 0
 * @param stdGreen standard deviation of the second channel, above 0
 * @param stdBlue standard deviation of the third channel, above 0
 */
public record Normalisation(
    float meanRed, float meanGreen, float meanBlue, float stdRed, float stdGreen, float stdBlue) {

  /**
   * Makes a normalisation that treats the channels alike.
   *
   * @param mean of each channel
   * @param std of each channel, above 0
   * @return the normalisation
   */
  public static Normalisation uniform(float mean, float std) {
    return new Normalisation(mean, mean, mean, std, std, std);
  }

  Struct toC(Arena arena) {
    Struct struct = Struct.allocate(arena, Header.NORMALISATION);
    float[] values = {meanRed, meanGreen, meanBlue, stdRed, stdGreen, stdBlue};
    for (int i = 0; i < values.length; i++) {
      struct.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, values[i]);
    }
    return struct;
  }
}
