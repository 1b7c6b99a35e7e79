// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import java.util.Locale;

/** Times as people say them. */
final class Durations {

  private static final int MINUTE = 60;
  private static final int HOUR = 60 * MINUTE;
  private static final int DAY = 24 * HOUR;

  private Durations() {}

  /** Two units at most: 8.3 s, 45 s, 2 min 5 s, 3 h 20 min, 4 d 6 h. */
  static String text(double seconds) {
    if (seconds < 9.95) {
      return String.format(Locale.ROOT, "%.1f s", Math.max(0, seconds));
    }
    long whole = Math.round(seconds);
    if (whole < MINUTE) {
      return whole + " s";
    }
    if (whole < HOUR) {
      return whole / MINUTE + " min " + whole % MINUTE + " s";
    }
    long minutes = Math.round(seconds / MINUTE);
    if (minutes < DAY / MINUTE) {
      return minutes / 60 + " h " + minutes % 60 + " min";
    }
    long hours = Math.round(seconds / HOUR);
    return hours / 24 + " d " + hours % 24 + " h";
  }
}
