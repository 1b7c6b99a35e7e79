// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.InvalidInputException;
import dev.motley.config.Yaml;
import dev.motley.tricks.ClassList;
import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.PlanSpec;
import dev.motley.weights.Checkpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that say which images: they become the tree that a plan file would hold. */
final class PlanOptions {

  @Option(
      names = "--classes",
      paramLabel = "NAMES",
      defaultValue = "fashion-mnist",
      description = {
        "A built-in list (cifar10, cifar100, eurosat, fashion-mnist), names separated by commas, or a YAML file with a plan.",
        "Default: ${DEFAULT-VALUE}."
      })
  private String classes;

  @Option(
      names = "--tricks",
      split = ",",
      paramLabel = "TRICK",
      description =
          "base-class, class-prompt, multi-domain, random-guidance; several by commas; all-combined; best, the paper's own mix for a built-in list. Default: base-class.")
  private List<String> tricks = List.of();

  @Option(
      names = "--per-class",
      paramLabel = "N",
      converter = Numbers.Positive.class,
      description = {
        "Images per class, of each trick (or of all together with --budget equal).",
        "Default: the paper's scale, as many as the real data set has: cifar10 5,000, cifar100 500, eurosat 2,700, "
            + "fashion-mnist 6,000 (that is 60,000 images; 25 do for a first try); own names 1,000."
      })
  private Optional<Integer> perClass = Optional.empty();

  @Option(
      names = "--budget",
      paramLabel = "each|equal",
      description = "each: every trick draws --per-class images; equal: the tricks share them. Default: each.")
  private Optional<String> budget = Optional.empty();

  @Option(
      names = "--preset",
      paramLabel = "paper|repo",
      description = "Whom to follow where the paper and its published code differ. Default: paper.")
  private Optional<String> preset = Optional.empty();

  @Option(
      names = "--guidance",
      paramLabel = "X",
      converter = Numbers.Guidance.class,
      description = "Guidance scale where it is not random. Default: 7.5.")
  private Optional<Double> guidance = Optional.empty();

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "DDIM steps. Default: 40.")
  private Optional<Integer> steps = Optional.empty();

  @Option(names = "--seed", paramLabel = "N", converter = Numbers.Seed.class, description = "Seed of the data set. Default: 0.")
  private Optional<Long> seed = Optional.empty();

  @Option(
      names = "--rng",
      paramLabel = "philox|torch",
      description = "Noise: counter-based, or torch's CPU generator. Default: philox.")
  private Optional<String> rng = Optional.empty();

  @Option(
      names = "--size",
      paramLabel = "PIXELS",
      converter = Numbers.Positive.class,
      description = "Width and height to draw at. Default: what the model was trained for.")
  private Optional<Integer> size = Optional.empty();

  /**
   * The plan.
   *
   * @param model that shall draw it; its own size where none is given
   */
  GenerationPlan plan(ModelOptions model) {
    steps.ifPresent(n -> model.requireSteps("--steps", n));
    PlanSpec spec = PlanSpec.fromTree(tree(Checkpoint.nativeSize(model.path())));
    model.requireSteps("'sampling.steps'", spec.sampling().steps());
    return GenerationPlan.of(spec);
  }

  private Map<String, Object> tree(Optional<Integer> nativeSize) {
    Map<String, Object> tree = new LinkedHashMap<>(classesTree());
    preset.ifPresent(value -> tree.put("preset", value));
    if (!tricks.isEmpty()) {
      tree.put("tricks", tricks.size() == 1 ? tricks.getFirst() : tricks);
    }
    perClass.ifPresent(value -> tree.put("per-class", value));
    budget.ifPresent(value -> tree.put("budget", value));
    merge(tree, "guidance", guidance.map(value -> Map.of("fixed", value)));
    var sampling = new LinkedHashMap<String, Object>();
    seed.ifPresent(value -> sampling.put("seed", value));
    steps.ifPresent(value -> sampling.put("steps", value));
    rng.ifPresent(value -> sampling.put("source", value));
    merge(tree, "sampling", sampling.isEmpty() ? Optional.empty() : Optional.of(sampling));
    size.or(() -> tree.containsKey("width") ? Optional.empty() : nativeSize)
        .ifPresent(
            value -> {
              tree.put("width", value);
              tree.put("height", value);
            });
    return tree;
  }

  private Map<String, Object> classesTree() {
    if (classes.endsWith(".yaml") || classes.endsWith(".yml")) {
      return file(Path.of(classes));
    }
    if (classes.isBlank()) {
      throw new InvalidInputException(
          "--classes is empty: expected a built-in list (%s), names separated by commas, or a YAML file"
              .formatted(String.join(", ", ClassList.presets())));
    }
    if (ClassList.presets().contains(classes)) {
      return Map.of("classes", classes);
    }
    if (!classes.contains(",")) {
      ClassList.preset(classes); // throws, with the nearest names
    }
    var names = new ArrayList<String>();
    for (String name : classes.split(",", -1)) {
      if (name.isBlank()) {
        throw new InvalidInputException("--classes has an empty name: " + classes);
      }
      names.add(name.strip());
    }
    return Map.of("classes", names);
  }

  /** A plan's file, checked by itself first: what is wrong in it is not to be looked for among the options. */
  private static Map<String, Object> file(Path file) {
    Map<String, Object> tree = Yaml.read(file);
    try {
      PlanSpec.fromTree(tree);
    } catch (InvalidInputException e) {
      throw new InvalidInputException(file + ": " + e.getMessage(), e);
    }
    return tree;
  }

  private static void merge(Map<String, Object> tree, String key, Optional<? extends Map<String, ?>> values) {
    values.ifPresent(
        map -> {
          var merged = new LinkedHashMap<String, Object>();
          if (tree.get(key) instanceof Map<?, ?> old) {
            old.forEach((k, v) -> merged.put(String.valueOf(k), v));
          }
          merged.putAll(map);
          tree.put(key, merged);
        });
  }
}
