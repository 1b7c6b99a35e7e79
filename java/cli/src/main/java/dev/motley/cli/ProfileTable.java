// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.ffi.NativePeaks;
import dev.motley.ffi.NativeProfile;
import dev.motley.ffi.NativeProfile.Layer;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** A profile beside the peaks of the machine: a line for each kind of layer, for each op, and for the whole. */
record ProfileTable(NativePeaks peaks, NativeProfile profile) {
  private static final double GIGA = 1e-9;

  void print(PrintWriter out, String what) {
    double within = seconds();
    double outside = Math.max(0, profile.seconds() - within);
    out.println();
    out.printf(
        Locale.ROOT, "%s: %.3f s, in ops %.3f s, outside of them %.3f s (%.1f %%)%n",
        what, profile.seconds(), within, outside, percent(outside, profile.seconds()));
    out.printf("%-17s %-24s %7s %9s %7s %9s %7s %9s%n", "op", "shape", "calls", "seconds", "share", "GFLOP/s", "GB/s", "roofline");
    profile.layers().forEach(layer -> line(out, layer, roofline(layer)));
    out.println();
    for (Layer group : groups()) {
      line(out, group, roofline(layers(group.op())));
    }
    line(out, sum("all ops", profile.layers()), roofline(profile.layers()));
  }

  private void line(PrintWriter out, Layer layer, double roofline) {
    out.printf(
        Locale.ROOT, "%-17s %-24s %7d %9.4f %5.1f %% %9s %7.1f %7.0f %%%n",
        layer.op(), layer.shape(), layer.calls(), layer.seconds(), percent(layer.seconds(), seconds()),
        layer.flops() == 0 ? "-" : String.format(Locale.ROOT, "%.1f", GIGA * layer.flops() / layer.seconds()),
        GIGA * layer.bytes() / layer.seconds(), 100 * roofline);
  }

  /** The least time that the peaks allow, over the time taken. */
  double roofline(Layer layer) {
    return leastSeconds(layer) / layer.seconds();
  }

  /** The same of several together, each bound by its own peak. */
  double roofline(List<Layer> layers) {
    return layers.stream().mapToDouble(this::leastSeconds).sum() / sum("", layers).seconds();
  }

  private double leastSeconds(Layer layer) {
    return Math.max(layer.flops() / peaks.multiplyAdd(), layer.bytes() / peaks.copy());
  }

  private List<Layer> layers(String op) {
    return profile.layers().stream().filter(layer -> layer.op().equals(op)).toList();
  }

  /** The kinds of layers of each op together, the slowest op first. */
  List<Layer> groups() {
    return profile.layers().stream()
        .map(Layer::op)
        .distinct()
        .map(op -> sum(op, layers(op)))
        .sorted(Comparator.comparingDouble(Layer::seconds).reversed())
        .toList();
  }

  private static Layer sum(String op, List<Layer> layers) {
    return new Layer(
        op,
        "",
        layers.stream().mapToLong(Layer::calls).sum(),
        layers.stream().mapToDouble(Layer::seconds).sum(),
        layers.stream().mapToDouble(Layer::flops).sum(),
        layers.stream().mapToDouble(Layer::bytes).sum());
  }

  private double seconds() {
    return profile.layers().stream().mapToDouble(Layer::seconds).sum();
  }

  private static double percent(double part, double whole) {
    return 100 * part / whole;
  }
}
