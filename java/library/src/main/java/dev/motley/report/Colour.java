// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import java.util.Locale;

/**
 * An sRGB colour and the contrast rule of WCAG 2.
 *
 * @param red in [0, 255]
 * @param green in [0, 255]
 * @param blue in [0, 255]
 */
record Colour(int red, int green, int blue) {

  static Colour hex(String hex) {
    int rgb = Integer.parseInt(hex.substring(1), 16);
    return new Colour(rgb >> 16, rgb >> 8 & 0xFF, rgb & 0xFF);
  }

  String hex() {
    return String.format(Locale.ROOT, "#%02x%02x%02x", red, green, blue);
  }

  /** The colour on the way to another, in sRGB: 0 is this one, 1 the other. */
  Colour towards(Colour other, double way) {
    return new Colour(
        mix(red, other.red, way), mix(green, other.green, way), mix(blue, other.blue, way));
  }

  /** Contrast ratio with another colour, 1 to 21. */
  double contrast(Colour other) {
    double lighter = Math.max(luminance(), other.luminance());
    double darker = Math.min(luminance(), other.luminance());
    return (lighter + 0.05) / (darker + 0.05);
  }

  private static int mix(int from, int to, double way) {
    return (int) Math.round(from + (to - from) * way);
  }

  private double luminance() {
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  }

  private static double linear(int channel) {
    double c = channel / 255.0;
    return c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
  }
}
