// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Puts the rounds of an alternating run side by side: medians, ratio and its spread over the rounds.
 * Each round is a fork of ours and a fork of theirs, one after the other, so that what else the
 * machine does falls on both.
 *
 * <pre>
 * java -cp ... dev.motley.benchmarks.Ratios NAME OUT.json RESULTS.md ours.json theirs.json ...
 * </pre>
 *
 * The files are JMH's, two per round. The environment's COMMIT, CPU and THREADS say where.
 */
public final class Ratios {

  private static final Set<String> EAGER_ONLY = Set.of("channelsLast", "format");

  private Ratios() {}

  /**
   * One pair of speeds, the more the faster, under one choice of parameters.
   *
   * @param ours iterations of our forks, one list per round
   * @param theirs iterations of the eager forks
   */
  record Pair(List<List<Double>> ours, List<List<Double>> theirs) {

    Pair() {
      this(new ArrayList<>(), new ArrayList<>());
    }

    static double median(List<Double> values) {
      double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
      int middle = sorted.length / 2;
      return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    static double overall(List<List<Double>> rounds) {
      return median(rounds.stream().flatMap(List::stream).toList());
    }

    List<Double> ratios() {
      List<Double> ratios = new ArrayList<>();
      for (int i = 0; i < Math.min(ours.size(), theirs.size()); i++) {
        ratios.add(median(ours.get(i)) / median(theirs.get(i)));
      }
      return ratios;
    }
  }

  /**
   * Runs the summary.
   *
   * @param args name, JSON to write, Markdown to append to, then JMH's results
   * @throws IOException if a file cannot be read or written
   */
  public static void main(String[] args) throws IOException {
    if (args.length < 5) {
      System.err.println("usage: Ratios NAME OUT.json RESULTS.md OURS.json THEIRS.json ...");
      System.exit(2);
    }
    String name = args[0];
    Map<String, Pair> pairs = new TreeMap<>();
    List<Path> files = Arrays.stream(args, 3, args.length).map(Path::of).toList();
    for (Path file : files) {
      collect(new ObjectMapper().readTree(file.toFile()), pairs);
    }
    Map<String, String> where = where();
    Files.writeString(Path.of(args[1]), json(name, where, pairs));
    for (Map.Entry<String, Pair> entry : pairs.entrySet()) {
      String line = line(name, entry.getKey(), where, entry.getValue());
      System.out.println(line);
      Files.writeString(
          Path.of(args[2]), line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
  }

  static void collect(JsonNode results, Map<String, Pair> pairs) {
    for (JsonNode result : results) {
      String method = result.get("benchmark").asText();
      boolean ours = method.endsWith(".motley");
      if (!ours && !method.endsWith(".eager")) {
        throw new IllegalArgumentException("expected .motley or .eager, found " + method);
      }
      String key = parameters(result.path("params"));
      JsonNode cpu = result.path("secondaryMetrics").path(CpuTime.LABEL);
      boolean seconds = !cpu.isMissingNode() || result.path("mode").asText().equals("ss");
      JsonNode metric = cpu.isMissingNode() ? result.get("primaryMetric") : cpu;
      List<Double> iterations = new ArrayList<>();
      for (JsonNode fork : metric.get("rawData")) {
        fork.forEach(score -> iterations.add(seconds ? 1 / score.asDouble() : score.asDouble()));
      }
      Pair pair = pairs.computeIfAbsent(key, unused -> new Pair());
      (ours ? pair.ours() : pair.theirs()).add(iterations);
    }
  }

  /** What a benchmark was run with; the memory format is the eager side's own. */
  private static String parameters(JsonNode params) {
    return params.propertyStream()
        .filter(entry -> !EAGER_ONLY.contains(entry.getKey()))
        .map(entry -> entry.getValue().asText())
        .collect(Collectors.joining(" "));
  }

  private static Map<String, String> where() {
    Map<String, String> where = new LinkedHashMap<>();
    for (String key : List.of("COMMIT", "CPU", "THREADS", "DATE", "LOAD")) {
      where.put(
          key.toLowerCase(Locale.ROOT), System.getenv().getOrDefault(key, "unknown"));
    }
    return where;
  }

  static String line(String name, String parameter, Map<String, String> where, Pair pair) {
    List<Double> ratios = pair.ratios();
    return String.format(
        Locale.ROOT,
        "| %s | %s | %.3g | %.3g | **%.2f** (%.2f to %.2f, n = %d) | %s, %s threads | %s | %s |",
        name,
        parameter.isEmpty() ? "-" : parameter,
        Pair.overall(pair.ours()),
        Pair.overall(pair.theirs()),
        Pair.median(ratios),
        ratios.stream().min(Double::compare).orElseThrow(),
        ratios.stream().max(Double::compare).orElseThrow(),
        ratios.size(),
        where.get("cpu"),
        where.get("threads"),
        where.get("load"),
        where.get("commit"));
  }

  private static String json(String name, Map<String, String> where, Map<String, Pair> pairs)
      throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode root = mapper.createObjectNode();
    root.put("benchmark", name);
    where.forEach(root::put);
    ArrayNode results = root.putArray("results");
    pairs.forEach(
        (parameter, pair) -> {
          ObjectNode node = results.addObject();
          node.put("parameters", parameter);
          node.put("motley_median", Pair.overall(pair.ours()));
          node.put("eager_median", Pair.overall(pair.theirs()));
          node.put("ratio_median", Pair.median(pair.ratios()));
          node.set("ratios", mapper.valueToTree(pair.ratios()));
          node.set("motley", mapper.valueToTree(pair.ours()));
          node.set("eager", mapper.valueToTree(pair.theirs()));
        });
    return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
  }
}
