// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.InvalidInputException;
import java.util.Arrays;
import java.util.stream.Collectors;

/** Shape arithmetic, checked: what is passed to native code has the size it says. */
final class Sizes {

  /** The longest array that every JVM can make. */
  private static final int LONGEST_ARRAY = Integer.MAX_VALUE - 8;

  private Sizes() {}

  /** The number of elements of a shape; dimensions are at least 1. */
  static long elements(String what, long... shape) {
    long product = 1;
    for (long dimension : shape) {
      if (dimension < 1) {
        throw new InvalidInputException(
            what + ": each dimension must be at least 1, got " + text(shape));
      }
      if (product > Long.MAX_VALUE / dimension) {
        throw new InvalidInputException(what + ": shape " + text(shape) + " overflows 64 bits");
      }
      product *= dimension;
    }
    return product;
  }

  /** The length of a Java array of this shape. */
  static int length(String what, long... shape) {
    long elements = elements(what, shape);
    if (elements > LONGEST_ARRAY) {
      throw new InvalidInputException(
          what
              + ": shape "
              + text(shape)
              + " has more elements than a Java array holds;"
              + " use a smaller batch");
    }
    return (int) elements;
  }

  /** Checks that an array has the size of a shape. */
  static void check(String what, long length, long... shape) {
    long expected = elements(what, shape);
    if (length != expected) {
      throw new InvalidInputException(
          what + " has " + length + " elements, expected " + text(shape) + " = " + expected);
    }
  }

  /** How many whole items an array holds. */
  static int count(String what, long length, long... item) {
    long size = elements(what, item);
    if (length == 0 || length % size != 0) {
      throw new InvalidInputException(
          what
              + " has "
              + length
              + " elements, expected a multiple of "
              + text(item)
              + " = "
              + size);
    }
    return Math.toIntExact(length / size);
  }

  /** Checks that a value lies in [low, high]. */
  static void range(String what, long value, long low, long high) {
    if (value < low || value > high) {
      throw new InvalidInputException(what + " is " + value + ", expected " + low + " to " + high);
    }
  }

  private static String text(long[] shape) {
    return Arrays.stream(shape)
        .mapToObj(Long::toString)
        .collect(Collectors.joining(", ", "(", ")"));
  }
}
