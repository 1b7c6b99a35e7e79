// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.config.Names;
import dev.motley.config.Tree;
import dev.motley.config.Yaml;
import dev.motley.dataset.GeneratorOptions;
import dev.motley.dataset.SafetyPolicy;
import dev.motley.dataset.SyntheticStore;
import dev.motley.diffusion.Drawing;
import dev.motley.evaluate.Evaluator;
import dev.motley.files.FolderLock;
import dev.motley.image.Resize;
import dev.motley.train.Recipe;
import dev.motley.tricks.PlanSpec;
import dev.motley.weights.Checkpoint;
import dev.motley.weights.Ema;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A whole experiment: synthetic sets, one classifier trained on each, all tested on the same real images.
 *
 * <pre>{@code
 * title: Clothes, with and without the tricks
 * model: embedded                  # or a folder in diffusers' layout, or Stable Diffusion v1 as one file
 * ema: as-given                    # or averaged, plain
 * precision: fp32                  # or bf16, fp16
 * safety: off                      # or flag, drop, redo
 * batch: 50                        # of 32x32 pixels; 1 at 512x512
 * stored-size: 0                   # 0: as drawn
 * resize: bilinear_aa
 * sets:
 *   - name: Base class
 *     description: one prompt per class
 *     plan: {classes: fashion-mnist, tricks: base-class, per-class: 100, width: 32, height: 32}
 * recipe: {preset: quick, epochs: 20}
 * real: embedded                   # or a data set as for 'motley evaluate'
 * test-batch: 128
 * }</pre>
 *
 * @param title of the report
 * @param model {@code embedded}, a folder or a file
 * @param ema which of the UNet's weights, of a model that holds both
 * @param precision the diffusion model computes in
 * @param safety what becomes of pictures that the model's safety checker flags
 * @param batch images denoised together
 * @param storedSize width and height in the stores; 0 keeps the drawn size
 * @param resize filter
 * @param sets what to draw; equal images of an earlier set are copied from it
 * @param recipe for every set alike
 * @param real {@code embedded} or a data set
 * @param testBatch images per forward pass of the test
 */
public record RunConfig(
    String title,
    String model,
    Ema ema,
    Precision precision,
    SafetyPolicy safety,
    int batch,
    int storedSize,
    Resize.Filter resize,
    List<SetConfig> sets,
    Recipe recipe,
    String real,
    int testBatch) {
  private static final String EMBEDDED = "embedded";

  private static final List<String> KEYS =
      List.of(
          "title", "model", "ema", "precision", "safety", "batch", "stored-size", "resize", "sets", "recipe", "real",
          "test-batch");
  /** As many as a report shows side by side. */
  private static final int MOST_SETS = 6;

  private static final List<String> SET_KEYS = List.of("name", "description", "plan");

  /**
   * One synthetic set.
   *
   * @param name a few words; its folder is named after it
   * @param description a sentence for the report
   * @param plan what to draw
   */
  public record SetConfig(String name, String description, PlanSpec plan) {

    /** The name as a folder: lower case, words joined by hyphens. */
    public String folder() {
      return name.toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N}]+", "-").replaceAll("^-|-$", "");
    }
  }

  /** Checks what can be checked without the model and the real images. */
  public RunConfig {
    sets = List.copyOf(sets);
    new GeneratorOptions(batch, storedSize, resize, precision, safety, List.of()); // for its checks
    if (testBatch < 1) {
      throw new InvalidInputException("'test-batch' must be 1 or more, found " + testBatch);
    }
    Set<String> folders = new HashSet<>();
    if (sets.isEmpty() || sets.size() > MOST_SETS) {
      throw new InvalidInputException(
          "'sets' has %d entries: expected 1 to %d".formatted(sets.size(), MOST_SETS));
    }
    for (SetConfig set : sets) {
      if (set.folder().isEmpty() || !folders.add(set.folder())) {
        throw new InvalidInputException(
            "'sets' has the name '" + Names.printable(set.name()) + "' twice, or it has no letter or digit");
      }
      if (set.folder().equals(FolderLock.FILE)) {
        throw new InvalidInputException(
            "'sets' has the name '%s', but '%s' is a file of the run's own: choose another name"
                .formatted(Names.printable(set.name()), FolderLock.FILE));
      }
      if (!set.plan().classes().equals(sets.getFirst().plan().classes())) {
        throw new InvalidInputException(
            "set '" + Names.printable(set.name()) + "' has other classes than the first: expected the same");
      }
      int width = storedSize == 0 ? set.plan().width() : storedSize;
      int height = storedSize == 0 ? set.plan().height() : storedSize;
      if (width != recipe.imageSize() || height != recipe.imageSize()) {
        throw new InvalidInputException(
            "set '%s' stores images of %dx%d pixels, the recipe's image-size is %d"
                .formatted(Names.printable(set.name()), width, height, recipe.imageSize()));
      }
    }
  }

  /**
   * Reads a YAML file.
   *
   * @throws InvalidInputException naming the file, and the key that is unknown or wrong
   */
  public static RunConfig read(Path file, Embedded embedded) {
    Map<String, Object> tree = Yaml.read(file);
    try {
      return of(tree, embedded);
    } catch (InvalidInputException e) {
      throw new InvalidInputException(file + ": " + e.getMessage(), e);
    }
  }

  /**
   * Reads a parsed YAML or JSON tree; {@code docs/config.md} explains every key.
   *
   * @param embedded what {@code embedded} stands for: the model tells the size that plans leave out
   * @throws InvalidInputException naming the key that is unknown or wrong
   */
  public static RunConfig of(Map<String, Object> map, Embedded embedded) {
    Tree tree = Tree.of("", map, KEYS);
    String model = tree.text("model").orElse(EMBEDDED);
    Optional<Integer> nativeSize = Checkpoint.nativeSize(modelFolder(model, embedded));
    var sets = new ArrayList<SetConfig>();
    List<Object> items =
        Tree.items(
            "sets",
            tree.value("sets").orElseThrow(() -> new InvalidInputException("'sets' is missing: what shall be drawn?")));
    for (int i = 0; i < items.size(); i++) {
      sets.add(set("sets[" + i + "]", items.get(i), nativeSize));
    }
    int drawn = sets.isEmpty() ? 0 : sets.getFirst().plan().width();
    int stored = tree.count("stored-size").orElse(0);
    return new RunConfig(
        tree.text("title").orElse("Synthetic training sets"),
        model,
        tree.text("ema").map(Ema::named).orElse(Ema.AS_GIVEN),
        tree.text("precision").map(Precision::named).orElse(Precision.FP32),
        safety(tree),
        tree.count("batch").orElse(usualBatch(sets)),
        stored,
        tree.text("resize").map(Resize.Filter::named).orElse(Resize.Filter.BILINEAR_AA),
        sets,
        Recipe.fromTree(
            tree.tree("recipe", Recipe.KEYS).orElseGet(() -> Tree.of("recipe", Map.of(), Recipe.KEYS)),
            stored == 0 ? drawn : stored),
        tree.text("real").orElse(EMBEDDED),
        tree.count("test-batch").orElse(Evaluator.DEFAULT_BATCH));
  }

  /** That of the set with the largest pictures. */
  private static int usualBatch(List<SetConfig> sets) {
    return sets.stream()
        .mapToInt(set -> Drawing.usualBatch(set.plan().width(), set.plan().height()))
        .min()
        .orElse(GeneratorOptions.DEFAULT_BATCH);
  }

  /** YAML takes a bare {@code off} for the boolean. */
  private static SafetyPolicy safety(Tree tree) {
    return tree.value("safety").equals(Optional.of(false))
        ? SafetyPolicy.OFF
        : tree.text("safety").map(SafetyPolicy::named).orElse(SafetyPolicy.OFF);
  }

  /** A plan that names no size draws at the model's own. */
  private static SetConfig set(String path, Object value, Optional<Integer> nativeSize) {
    Tree tree = Tree.of(path, value, SET_KEYS);
    Object plan =
        tree.value("plan").orElseThrow(() -> new InvalidInputException("'" + path + ".plan' is missing"));
    if (!(plan instanceof Map<?, ?> map)) {
      throw Tree.wrong(tree.path("plan"), "a map", plan);
    }
    var keys = new LinkedHashMap<String, Object>();
    map.forEach((key, one) -> keys.put(String.valueOf(key), one));
    nativeSize.ifPresent(
        size -> {
          keys.putIfAbsent("width", size);
          keys.putIfAbsent("height", size);
        });
    return new SetConfig(
        tree.text("name").orElseThrow(() -> new InvalidInputException("'" + path + ".name' is missing")),
        tree.text("description").orElse(""),
        plan(tree.path("plan"), keys));
  }

  /** Of several plans the error says which. */
  private static PlanSpec plan(String path, Map<String, Object> keys) {
    try {
      return PlanSpec.fromTree(keys);
    } catch (InvalidInputException e) {
      throw new InvalidInputException("'%s': %s".formatted(path, e.getMessage()), e);
    }
  }

  /** The resolved form: every default spelled out; {@link #of} reads an equal config back. */
  public Map<String, Object> toTree() {
    var tree = new LinkedHashMap<String, Object>();
    tree.put("title", title);
    tree.put("model", model);
    tree.put("ema", ema.id());
    tree.put("precision", precision.id());
    tree.put("safety", safety.id());
    tree.put("batch", batch);
    tree.put("stored-size", storedSize);
    tree.put("resize", resize.id());
    var list = new ArrayList<Map<String, Object>>();
    for (SetConfig set : sets) {
      var one = new LinkedHashMap<String, Object>();
      one.put("name", set.name());
      one.put("description", set.description());
      one.put("plan", set.plan().toTree());
      list.add(one);
    }
    tree.put("sets", list);
    tree.put("recipe", recipe.toTree());
    tree.put("real", real);
    tree.put("test-batch", testBatch);
    return tree;
  }

  Path modelFolder(Embedded embedded) {
    return modelFolder(model, embedded);
  }

  private static Path modelFolder(String model, Embedded embedded) {
    return model.equals(EMBEDDED) ? embedded.model() : Path.of(model);
  }

  String realImages(Embedded embedded) {
    return real.equals(EMBEDDED) ? embedded.realImages().toString() : real;
  }

  GeneratorOptions generator(List<SyntheticStore> reuse) {
    return new GeneratorOptions(batch, storedSize, resize, precision, safety, reuse);
  }

  /** The set with the most tricks. */
  SetConfig richestSet() {
    return sets.stream()
        .max(Comparator.comparingInt(set -> set.plan().mix().imagesPerClass().size()))
        .orElseThrow();
  }
}
