// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

/**
 * The colours of the confusion matrices: steps from the page's surface to a hue, one hue for right
 * answers and one for wrong ones, in the light and in the dark. The text of a cell is black or
 * white, whichever stands out more.
 */
final class HeatScale {

  static final int STEPS = 10;

  private static final Theme LIGHT = new Theme("#ffffff", "#0b6a64", "#b03a0c");
  private static final Theme DARK = new Theme("#1e1d23", "#5cd6c9", "#ffa066");

  // One of the two has a contrast of 4.58 or more to any colour.
  private static final Colour BLACK = Colour.hex("#000000");
  private static final Colour WHITE = Colour.hex("#ffffff");

  private HeatScale() {}

  /**
   * @param surface what a cell of 0 looks like
   * @param right the hue of right answers, at 100 %
   * @param wrong the hue of wrong answers, at 100 %
   */
  private record Theme(String surface, String right, String wrong) {}

  /** The class of a cell that holds this fraction of its row. Any above 0 is visible. */
  static String cell(boolean right, double fraction) {
    // The square root spreads the small fractions, where the confusions are.
    long step = fraction == 0 ? 0 : Math.max(1, Math.round(Math.sqrt(fraction) * STEPS));
    return (right ? "r" : "w") + step;
  }

  /** The rules of all steps, dark ones in their media query. */
  static String css() {
    return rules(LIGHT) + "@media (prefers-color-scheme: dark) {\n" + rules(DARK) + "}\n";
  }

  private static String rules(Theme theme) {
    var css = new StringBuilder();
    for (int step = 0; step <= STEPS; step++) {
      rule(css, "r" + step, theme, theme.right(), step);
      rule(css, "w" + step, theme, theme.wrong(), step);
    }
    return css.toString();
  }

  private static void rule(StringBuilder css, String name, Theme theme, String hue, int step) {
    double way = (double) step / STEPS;
    Colour ground = Colour.hex(theme.surface()).towards(Colour.hex(hue), way);
    Colour text = BLACK.contrast(ground) >= WHITE.contrast(ground) ? BLACK : WHITE;
    css.append(
        ".heat .%s { background: %s; color: %s }\n".formatted(name, ground.hex(), text.hex()));
  }
}
