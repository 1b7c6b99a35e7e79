// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import java.util.List;

/**
 * A chart of lines over epochs, drawn for the width of a phone and scaled up elsewhere. Series tell
 * themselves apart by colour, dash and marker.
 */
final class LineChart {

  private static final double WIDTH = 360;
  private static final double HEIGHT = 236;
  private static final double LEFT = 44;
  private static final double RIGHT = 348;
  private static final double TOP = 12;
  private static final double BOTTOM = 196;

  /** About so many ticks an axis, and markers a line. */
  private static final int TICKS = 5;

  private static final int MARKERS = 6;

  /**
   * One line.
   *
   * @param index its place among the experiments: colour, dash and marker
   * @param x epochs, ascending
   * @param y one value each
   */
  record Series(int index, List<Integer> x, List<Double> y) {}

  private final List<Series> series;
  private final boolean percent;
  private final int firstX;
  private final int lastX;
  private final double step;
  private final double maxY;

  /**
   * @param series at least one, none empty
   * @param percent true for fractions shown in percent up to 100
   */
  LineChart(List<Series> series, boolean percent) {
    this.series = series;
    this.percent = percent;
    this.firstX = series.stream().mapToInt(s -> s.x().getFirst()).min().orElseThrow();
    this.lastX =
        Math.max(firstX + 1, series.stream().mapToInt(s -> s.x().getLast()).max().orElseThrow());
    double highest =
        series.stream().flatMap(s -> s.y().stream()).mapToDouble(y -> y).max().orElseThrow();
    this.step = percent ? 0.2 : niceStep(highest > 0 ? highest : 1);
    this.maxY = percent ? 1 : step * Math.max(1, Math.ceil(highest / step - 1e-9));
  }

  void draw(Html html, String description) {
    html.open(
        "svg",
        "viewBox",
        "0 0 " + Format.coordinate(WIDTH) + " " + Format.coordinate(HEIGHT),
        "role",
        "img",
        "aria-label",
        description);
    drawGrid(html);
    for (Series one : series) {
      drawLine(html, one);
    }
    html.close("svg");
  }

  private void drawGrid(Html html) {
    for (int i = 0; i * step <= maxY * (1 + 1e-9); i++) {
      double value = i * step;
      double y = y(value);
      line(html, LEFT, y, RIGHT, y, i == 0 ? "axis" : "grid");
      label(html, LEFT - 6, y + 4, "end", percent ? Math.round(100 * value) + "" : tick(value));
    }
    int each = Math.max(1, (int) niceStep(lastX - firstX + 1));
    for (int epoch = firstX; epoch <= lastX; epoch++) {
      if (epoch == firstX || (epoch % each == 0 && epoch - firstX >= each / 2.0)) {
        line(html, x(epoch), BOTTOM, x(epoch), BOTTOM + 4, "axis");
        label(html, x(epoch), BOTTOM + 18, "middle", "" + epoch);
      }
    }
    label(html, (LEFT + RIGHT) / 2, BOTTOM + 36, "middle", "epoch");
  }

  private void drawLine(Html html, Series one) {
    var points = new StringBuilder();
    for (int i = 0; i < one.x().size(); i++) {
      points.append(i == 0 ? "" : " ").append(Format.coordinate(x(one.x().get(i))));
      points.append(',').append(Format.coordinate(y(one.y().get(i))));
    }
    html.empty("polyline", "class", "line s" + one.index(), "points", points.toString());
    int last = one.x().size() - 1;
    int every = Math.max(1, (last + MARKERS - 1) / MARKERS);
    for (int i = last; i >= 0; i -= every) {
      marker(html, one.index(), x(one.x().get(i)), y(one.y().get(i)));
    }
  }

  /** The marker of a series: disc, square, triangle, diamond, bar or ring. */
  static void marker(Html html, int index, double x, double y) {
    String path =
        switch (index) {
          case 0 -> "M%1$s,%2$sm-4,0a4,4,0,1,0,8,0a4,4,0,1,0,-8,0z";
          case 1 -> "M%1$s,%2$sm-3.6,-3.6h7.2v7.2h-7.2z";
          case 2 -> "M%1$s,%2$sm0,-4.6l4.6,8h-9.2z";
          case 3 -> "M%1$s,%2$sm0,-5l5,5l-5,5l-5,-5z";
          case 4 -> "M%1$s,%2$sm-2,-5h4v10h-4z";
          default -> "M%1$s,%2$sm-5,-2h10v4h-10z";
        };
    html.empty(
        "path",
        "class",
        "mark s" + index,
        "d",
        path.formatted(Format.coordinate(x), Format.coordinate(y)));
  }

  /** 1, 2 or 5 times a power of ten: the smallest that needs no more than about five steps. */
  static double niceStep(double range) {
    double rough = range / TICKS;
    double power = Math.pow(10, Math.floor(Math.log10(rough)));
    double lead = rough / power;
    return power * (lead <= 1 + 1e-9 ? 1 : lead <= 2 + 1e-9 ? 2 : lead <= 5 + 1e-9 ? 5 : 10);
  }

  private String tick(double value) {
    return Format.number(value, Math.clamp((int) -Math.floor(Math.log10(step)), 0, 6));
  }

  private double x(double epoch) {
    return LEFT + 6 + (RIGHT - LEFT - 12) * (epoch - firstX) / (lastX - firstX);
  }

  private double y(double value) {
    return BOTTOM - (BOTTOM - TOP) * value / maxY;
  }

  private static void line(Html html, double x1, double y1, double x2, double y2, String style) {
    html.empty(
        "line",
        "class",
        style,
        "x1",
        Format.coordinate(x1),
        "y1",
        Format.coordinate(y1),
        "x2",
        Format.coordinate(x2),
        "y2",
        Format.coordinate(y2));
  }

  private static void label(Html html, double x, double y, String anchor, String text) {
    html.element(
        "text", text, "x", Format.coordinate(x), "y", Format.coordinate(y), "text-anchor", anchor);
  }
}
