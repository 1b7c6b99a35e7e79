// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.InvalidInputException;
import dev.motley.config.Names;
import dev.motley.config.Tree;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Specs as trees of maps and lists. What is left out has the dataset's and the preset's default:
 *
 * <pre>{@code
 * preset: paper                  # or repo
 * classes: cifar10               # a built-in list, or
 * classes: [cat, maine_coon]     # one's own, or
 * classes:
 *   name: lakes                  # of a built-in list: may take 'spelling: clip' in place of 'list'
 *   list: [forest, {folder: SeaLake, prompt: sea or lake}]
 * prompts:
 *   base-class: an image of a {class}
 *   domains: [photo, sketch]
 *   articles: by-sound           # or as-written
 *   negative: ""
 * tricks: all-combined           # a trick, 'all-combined', 'best', a list, or a map to images per class
 * per-class: 1000                # for a trick or list
 * budget: each                   # 'each' trick draws per-class images, or the tricks share them: 'equal'
 * guidance: {fixed: 7.5, low: 1, high: 5, draw: real-per-image}
 * sampling: {seed: 0, noise: none, source: philox, steps: 40, eta: 0}
 * width: 512
 * height: 512
 * rounding: round                # or truncate
 * }</pre>
 */
final class PlanSpecReader {

  private static final List<String> KEYS =
      List.of(
          "preset",
          "classes",
          "prompts",
          "tricks",
          "per-class",
          "budget",
          "guidance",
          "sampling",
          "width",
          "height",
          "rounding");

  private PlanSpecReader() {}

  static PlanSpec read(Map<String, ?> map) {
    Tree tree = Tree.of("", map, KEYS);
    Fidelity fidelity = tree.text("preset").map(Fidelity::named).orElse(Fidelity.PAPER);
    ClassList classes =
        classes(
            tree.value("classes")
                .orElseThrow(
                    () ->
                        new InvalidInputException(
                            "'classes' is missing: expected one of "
                                + ClassList.presets()
                                + " or a list of class names")));
    Optional<DatasetPreset> known =
        ClassList.presets().contains(classes.name())
                && classes.folders().equals(ClassList.preset(classes.name()).folders())
            ? Optional.of(DatasetPreset.named(classes.name()))
            : Optional.empty();
    PlanSpec start =
        known.map(d -> PlanSpec.of(d, fidelity)).orElseGet(() -> PlanSpec.of(classes, fidelity));
    return new PlanSpec(
        fidelity,
        classes,
        prompts(tree, start.prompts()),
        mix(tree, start, known),
        guidance(tree, start.guidance()),
        sampling(tree, start.sampling()),
        tree.count("width").orElse(start.width()),
        tree.count("height").orElse(start.height()),
        tree.text("rounding").map(PixelRounding::named).orElse(start.rounding()));
  }

  private static ClassList classes(Object value) {
    if (value instanceof String name) {
      return ClassList.preset(name);
    }
    if (value instanceof List<?> list) {
      return new ClassList(ClassList.UNNAMED, names(list));
    }
    Tree tree = Tree.of("classes", value, List.of("name", "list", "spelling"));
    String name = tree.text("name").orElse(ClassList.UNNAMED);
    if (tree.has("list") && tree.has("spelling")) {
      throw new InvalidInputException("'classes' has both 'list' and 'spelling': expected one");
    }
    if (tree.has("list")) {
      return new ClassList(name, names(Tree.items("classes.list", tree.value("list").get())));
    }
    ClassList builtIn = ClassList.preset(name);
    return tree.text("spelling").map(builtIn::withSpelling).orElse(builtIn);
  }

  private static List<ClassName> names(List<?> list) {
    var names = new ArrayList<ClassName>(list.size());
    for (Object item : list) {
      int index = names.size();
      String path = "classes[" + index + "]";
      if (item instanceof Map<?, ?>) {
        Tree tree = Tree.of(path, item, List.of("folder", "prompt"));
        String folder =
            tree.text("folder").orElseThrow(() -> Tree.wrong(path, "a class with 'folder'", item));
        ClassName plain = ClassName.of(index, folder);
        names.add(tree.text("prompt").map(p -> new ClassName(index, folder, p)).orElse(plain));
      } else {
        // A name left empty in YAML arrives as null, and is an empty name.
        names.add(ClassName.of(index, item == null ? "" : Tree.text(path, item)));
      }
    }
    return names;
  }

  private static PromptStyle prompts(Tree spec, PromptStyle start) {
    if (!spec.has("prompts")) {
      return start;
    }
    var keys = new ArrayList<>(Trick.ids());
    keys.addAll(List.of("domains", "articles", "negative"));
    Tree tree = Tree.of("prompts", spec.value("prompts").get(), keys);
    PromptStyle style = start;
    for (Trick trick : Trick.values()) {
      Optional<String> template = tree.text(trick.id());
      if (template.isPresent()) {
        style = style.with(trick, template.get());
      }
    }
    return new PromptStyle(
        style.templates(),
        tree.texts("domains").orElse(style.domains()),
        tree.text("articles").map(Articles::named).orElse(style.articles()),
        tree.text("negative").orElse(style.negative()));
  }

  private static TrickMix mix(Tree spec, PlanSpec start, Optional<DatasetPreset> known) {
    Object tricks = spec.value("tricks").orElse(Trick.BASE_CLASS.id());
    if (tricks instanceof Map<?, ?>) {
      refuse(spec, "per-class", "'tricks' gives the images per class itself");
      refuse(spec, "budget", "'tricks' gives the images per class itself");
      Tree tree = Tree.of("tricks", tricks, Trick.ids());
      var counts = new EnumMap<Trick, Integer>(Trick.class);
      tree.keys().forEach(id -> counts.put(Trick.named(id), tree.count(id).get()));
      return new TrickMix(counts);
    }
    if (tricks.equals("best")) {
      refuse(spec, "per-class", "'best' is the paper's own mix");
      refuse(spec, "budget", "'best' is the paper's own mix");
      return known
          .map(DatasetPreset::best)
          .orElseThrow(
              () ->
                  new InvalidInputException(
                      "'tricks: best' needs one of the class lists " + ClassList.presets()));
    }
    List<Trick> chosen = chosen(tricks, known);
    int perClass = spec.count("per-class").orElse(start.mix().totalPerClass());
    String budget = spec.text("budget").orElse("each");
    Names.find("budget", budget, List.of("each", "equal"), Function.identity());
    return budget.equals("each")
        ? TrickMix.union(chosen, perClass)
        : TrickMix.equalBudget(chosen, perClass);
  }

  private static List<Trick> chosen(Object tricks, Optional<DatasetPreset> known) {
    if (tricks.equals("all-combined")) {
      return known.map(d -> List.copyOf(d.combined())).orElse(List.of(Trick.values()));
    }
    if (tricks instanceof List<?> list) {
      return list.stream().map(t -> Trick.named(Tree.text("tricks", t))).toList();
    }
    String name = Tree.text("tricks", tricks);
    if (!Trick.ids().contains(name)) {
      var choices = new ArrayList<>(Trick.ids());
      choices.addAll(List.of("all-combined", "best"));
      throw new InvalidInputException(Names.unknown("trick", name, choices));
    }
    return List.of(Trick.named(name));
  }

  private static void refuse(Tree spec, String key, String because) {
    if (spec.has(key)) {
      throw new InvalidInputException("'" + key + "' cannot be given here: " + because);
    }
  }

  private static GuidanceRule guidance(Tree spec, GuidanceRule start) {
    if (!spec.has("guidance")) {
      return start;
    }
    Tree tree =
        Tree.of("guidance", spec.value("guidance").get(), List.of("fixed", "low", "high", "draw"));
    return new GuidanceRule(
        tree.number("fixed").map(Double::floatValue).orElse(start.fixed()),
        tree.number("low").map(Double::floatValue).orElse(start.low()),
        tree.number("high").map(Double::floatValue).orElse(start.high()),
        tree.text("draw").map(GuidanceDraw::named).orElse(start.draw()));
  }

  private static PlanSpec.Sampling sampling(Tree spec, PlanSpec.Sampling start) {
    if (!spec.has("sampling")) {
      return start;
    }
    Tree tree =
        Tree.of(
            "sampling",
            spec.value("sampling").get(),
            List.of("seed", "noise", "source", "steps", "eta"));
    return new PlanSpec.Sampling(
        tree.whole("seed").orElse(start.seed()),
        tree.text("noise").map(NoiseSharing::named).orElse(start.noise()),
        tree.text("source").map(NoiseSource::named).orElse(start.source()),
        tree.count("steps").orElse(start.steps()),
        tree.number("eta").orElse(start.eta()));
  }

  static Map<String, Object> write(PlanSpec spec) {
    var tree = new LinkedHashMap<String, Object>();
    tree.put("preset", spec.fidelity().id());
    tree.put(
        "classes",
        ordered(
            "name",
            spec.classes().name(),
            "list",
            spec.classes().classes().stream()
                .map(c -> ordered("folder", c.folder(), "prompt", c.prompt()))
                .toList()));
    Map<String, Object> prompts = new LinkedHashMap<>();
    spec.prompts().templates().forEach((trick, text) -> prompts.put(trick.id(), text.text()));
    prompts.put("domains", spec.prompts().domains());
    prompts.put("articles", spec.prompts().articles().id());
    prompts.put("negative", spec.prompts().negative());
    tree.put("prompts", prompts);
    Map<String, Object> mix = new LinkedHashMap<>();
    spec.mix().imagesPerClass().forEach((trick, n) -> mix.put(trick.id(), n));
    tree.put("tricks", mix);
    GuidanceRule guidance = spec.guidance();
    tree.put(
        "guidance",
        ordered(
            "fixed", exact(guidance.fixed()),
            "low", exact(guidance.low()),
            "high", exact(guidance.high()),
            "draw", guidance.draw().id()));
    PlanSpec.Sampling sampling = spec.sampling();
    tree.put(
        "sampling",
        ordered(
            "seed", sampling.seed(),
            "noise", sampling.noise().id(),
            "source", sampling.source().id(),
            "steps", sampling.steps(),
            "eta", sampling.eta()));
    tree.put("width", spec.width());
    tree.put("height", spec.height());
    tree.put("rounding", spec.rounding().id());
    return tree;
  }

  /** The shortest decimal that reads back as this float, as a double. */
  private static double exact(float value) {
    return Double.parseDouble(Float.toString(value));
  }

  private static Map<String, Object> ordered(Object... keysAndValues) {
    var map = new LinkedHashMap<String, Object>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      map.put((String) keysAndValues[i], keysAndValues[i + 1]);
    }
    return map;
  }
}
