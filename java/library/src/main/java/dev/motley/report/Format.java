// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import dev.motley.evaluate.Interval;
import java.util.Locale;

/** Numbers as a reader wants them. The same number gives the same text in every locale. */
final class Format {

  /** Narrow and not breaking: between a number and its unit. */
  private static final String THIN = "\u202f";

  private static final double MINUTE = 60;
  private static final double HOUR = 3600;

  private Format() {}

  /** A fraction with one decimal, such as 66.4 %. */
  static String percent(double fraction) {
    return number(100 * fraction, 1) + THIN + "%";
  }

  /** An interval of fractions, such as 65.4 to 67.3 %. */
  static String percent(Interval interval) {
    return number(100 * interval.low(), 1) + " to " + percent(interval.high());
  }

  /** A difference of fractions in percentage points with its sign, such as +11.6. */
  static String signedPoints(double difference) {
    String digits = number(Math.abs(100 * difference), 1);
    return digits.equals("0.0") ? digits : (difference < 0 ? "\u2212" : "+") + digits;
  }

  static String count(long count) {
    return String.format(Locale.ROOT, "%,d", count);
  }

  static String number(double value, int decimals) {
    return String.format(Locale.ROOT, "%,." + decimals + "f", value);
  }

  /** Without needless zeros: 7.5, 2, 3.26. */
  static String guidance(double scale) {
    String text = number(scale, 2);
    return text.endsWith(".00")
        ? text.substring(0, text.length() - 3)
        : text.endsWith("0") ? text.substring(0, text.length() - 1) : text;
  }

  static String duration(double seconds) {
    if (seconds < 10) {
      return number(seconds, 1) + THIN + "s";
    }
    long whole = Math.round(seconds);
    if (whole < MINUTE) {
      return whole + THIN + "s";
    }
    if (whole < HOUR) {
      return whole / 60 + THIN + "min " + whole % 60 + THIN + "s";
    }
    long minutes = Math.round(seconds / MINUTE);
    return count(minutes / 60) + THIN + "h " + minutes % 60 + THIN + "min";
  }

  /** Three digits that matter. */
  static String rate(double perSecond) {
    return number(perSecond, perSecond >= 100 ? 0 : perSecond >= 10 ? 1 : 2);
  }

  /** A coordinate or a width, short and exact enough. */
  static String coordinate(double value) {
    String text = String.format(Locale.ROOT, "%.2f", value);
    return text.replaceFirst("\\.?0+$", "");
  }
}
