// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.motley.MotleyVersion;
import dev.motley.ffi.NativeInfo;
import dev.motley.ffi.NativeProfile;
import dev.motley.tricks.GuidanceRule;
import dev.motley.tricks.PlanSpec;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A {@link Benchmark}'s result as text and as JSON.
 *
 * @param info what it ran on
 */
record BenchReport(Benchmark.Setup setup, Benchmark.Result result, NativeInfo info) {
  private static final double GIB = 1L << 30;

  void print(PrintWriter out) {
    double step = median(result.sampling()) / setup.steps();
    double fastest = result.sampling().stream().mapToDouble(Double::doubleValue).min().orElseThrow() / setup.steps();
    line(out, "machine", "%s, %s, %d %s", info.cpu(), info.isa(), info.threads(), info.threads() == 1 ? "thread" : "threads");
    line(out, "model", "%s, %s", setup.model(), setup.precision().id());
    line(
        out, "batch", "%d of %dx%d pixels, %s, guidance %s",
        result.batch(), result.options().width(), result.options().height(), steps(), GuidanceRule.COMPVIS_DEFAULT);
    line(out, "loading", "%.2f s", result.loading());
    line(out, "guidance step", "%.4g s of the batch (median of %d; the fastest %.4g s)", step, setup.repeats(), fastest);
    line(out, "sampling", "%.4g images/s at %s", rate(result.sampling()), steps());
    line(out, "decoding", "%.4g images/s", rate(result.decoding()));
    line(out, "in all", "%.4g images/s at %d steps, for 'plan --rate'", wholeRate(step), PlanSpec.PAPER_STEPS);
    line(
        out, "peak memory", "%s",
        result.peakMemory().isPresent()
            ? String.format(Locale.ROOT, "%.2f GiB resident", result.peakMemory().getAsLong() / GIB)
            : "unknown: this system has no /proc");
    result.profiles().ifPresent(profiles -> print(out, profiles));
    out.flush();
  }

  private void print(PrintWriter out, Benchmark.Profiles profiles) {
    line(
        out, "peaks", "%.1f GFLOP/s of multiply-adds on registers, %.1f in one large product, %.1f GB/s copied",
        1e-9 * profiles.peaks().multiplyAdd(), 1e-9 * profiles.peaks().product(), 1e-9 * profiles.peaks().copy());
    new ProfileTable(profiles.peaks(), profiles.sampling()).print(out, "sampling, " + steps());
    new ProfileTable(profiles.peaks(), profiles.decoding()).print(out, "decoding");
    out.println();
    out.println("GFLOP/s are of each layer as published. Roofline: the least time that the peaks allow, over the time taken; it passes");
    out.println("100 % where an algorithm does with fewer products (3x3 convolutions, upsampling) or where a cache is faster than memory.");
  }

  private String steps() {
    return setup.steps() == 1 ? "1 step" : setup.steps() + " steps";
  }

  private double rate(List<Double> seconds) {
    return result.batch() / median(seconds);
  }

  /** Images a second that are drawn in the paper's steps and decoded. */
  private double wholeRate(double step) {
    return result.batch() / (PlanSpec.PAPER_STEPS * step + median(result.decoding()));
  }

  private static void line(PrintWriter out, String name, String format, Object... values) {
    out.printf(Locale.ROOT, "%-16s%s%n", name, String.format(Locale.ROOT, format, values));
  }

  /** The middle value, or the mean of the two middle ones. */
  static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int n = sorted.size();
    return (sorted.get((n - 1) / 2) + sorted.get(n / 2)) / 2;
  }

  String json() {
    var tree = new LinkedHashMap<String, Object>();
    tree.put("motley", MotleyVersion.current());
    tree.put("cpu", info.cpu());
    tree.put("isa", info.isa());
    tree.put("threads", info.threads());
    tree.put("libtorch", info.libtorchVersion());
    tree.put("model", setup.model().toString());
    tree.put("modelHash", result.modelHash());
    tree.put("precision", setup.precision().id());
    tree.put("width", result.options().width());
    tree.put("height", result.options().height());
    tree.put("batch", result.batch());
    tree.put("steps", setup.steps());
    tree.put("guidance", GuidanceRule.COMPVIS_DEFAULT);
    tree.put("loadingSeconds", result.loading());
    tree.put("samplingSeconds", result.sampling());
    tree.put("decodingSeconds", result.decoding());
    result.peakMemory().ifPresent(bytes -> tree.put("peakMemoryBytes", bytes));
    result.profiles().ifPresent(
        profiles -> {
          tree.put("peaks", profiles.peaks());
          tree.put("samplingProfile", profile(profiles.sampling()));
          tree.put("decodingProfile", profile(profiles.decoding()));
        });
    try {
      return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(tree) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("numbers and texts that JSON cannot take", e);
    }
  }

  private static Map<String, Object> profile(NativeProfile profile) {
    var tree = new LinkedHashMap<String, Object>();
    tree.put("seconds", profile.seconds());
    tree.put("ops", profile.layers());
    return tree;
  }
}
