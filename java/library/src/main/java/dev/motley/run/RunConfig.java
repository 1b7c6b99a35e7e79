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
 * A whole experiment: synthetic sets, classifiers of one or more architectures and seeds trained on each, all tested on the same real
 * images.
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
 * architectures: [resnet50]        # or a map from name to keys of the recipe that differ
 * seeds: 1                         # that many, from the recipe's on; or a list
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
 * @param resize filter, where a set has no other
 * @param sets what to draw; equal images of an earlier set are not drawn again
 * @param recipes one for each architecture, all of the first seed
 * @param seeds of the trainings: each recipe is carried out with each
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
    List<Recipe> recipes,
    List<Long> seeds,
    String real,
    int testBatch) {
  /** In place of a model's path, or of real images: those that come with Motley. */
  public static final String EMBEDDED = "embedded";

  private static final List<String> KEYS =
      List.of(
          "title", "model", "ema", "precision", "safety", "batch", "stored-size", "resize", "sets", "recipe", "architectures",
          "seeds", "real", "test-batch");

  /** More than any table has rows for. */
  private static final int MOST_SETS = 24;


  private static final List<String> SET_KEYS = List.of("name", "description", "plan", "resize", "architectures");

  /**
   * One synthetic set.
   *
   * @param name a few words; its folder is named after it
   * @param description a sentence for the report
   * @param plan what to draw
   * @param resize filter to the stored size
   * @param architectures of the run's, those that are trained on it
   */
  public record SetConfig(
      String name, String description, PlanSpec plan, Resize.Filter resize, List<String> architectures) {
    /** Copies the list. */
    public SetConfig {
      architectures = List.copyOf(architectures);
    }

    /** The name as a folder: lower case, words joined by hyphens. */
    public String folder() {
      return name.toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N}]+", "-").replaceAll("^-|-$", "");
    }
  }

  /** Checks what can be checked without the model and the real images. */
  public RunConfig {
    sets = List.copyOf(sets);
    recipes = List.copyOf(recipes);
    seeds = List.copyOf(seeds);
    requireTrainings(recipes, seeds);
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
      requireSize(set, storedSize, recipes.getFirst().imageSize());
      if (set.architectures().isEmpty()) {
        throw new InvalidInputException("set '" + Names.printable(set.name()) + "' has no architectures to train");
      }
      for (String name : set.architectures()) {
        Names.find("architecture of the run", name, recipes.stream().map(Recipe::architecture).toList(), n -> n);
      }
    }
  }

  private static void requireTrainings(List<Recipe> recipes, List<Long> seeds) {
    if (recipes.isEmpty() || recipes.stream().map(Recipe::architecture).distinct().count() < recipes.size()) {
      throw new InvalidInputException(
          "'architectures' must name one or more, each once, found " + recipes.stream().map(Recipe::architecture).toList());
    }
    if (seeds.isEmpty() || seeds.size() > Trainings.MOST_SEEDS || Set.copyOf(seeds).size() < seeds.size()) {
      throw new InvalidInputException(
          "'seeds' must be 1 to %d different numbers, found %s".formatted(Trainings.MOST_SEEDS, seeds.size() > Trainings.MOST_SEEDS ? seeds.size() : seeds));
    }
    if (recipes.stream().anyMatch(recipe -> recipe.imageSize() != recipes.getFirst().imageSize())) {
      throw new InvalidInputException("all architectures of a run must have one image-size");
    }
  }

  private static void requireSize(SetConfig set, int storedSize, int imageSize) {
    int width = storedSize == 0 ? set.plan().width() : storedSize;
    int height = storedSize == 0 ? set.plan().height() : storedSize;
    if (width != imageSize || height != imageSize) {
      throw new InvalidInputException(
          "set '%s' stores images of %dx%d pixels, the recipe's image-size is %d"
              .formatted(Names.printable(set.name()), width, height, imageSize));
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
    Resize.Filter resize = tree.text("resize").map(Resize.Filter::named).orElse(Resize.Filter.BILINEAR_AA);
    Map<String, Map<?, ?>> architectures = Trainings.architectures(tree);
    for (int i = 0; i < items.size(); i++) {
      sets.add(set("sets[" + i + "]", items.get(i), nativeSize, resize, List.copyOf(architectures.keySet())));
    }
    int drawn = sets.isEmpty() ? 0 : sets.getFirst().plan().width();
    List<String> classes = sets.isEmpty() ? List.of() : sets.getFirst().plan().classes().folders();
    int stored = tree.count("stored-size").orElse(0);
    List<Recipe> recipes = Trainings.recipes(tree, architectures, Recipe.datasetOf(classes), stored == 0 ? drawn : stored);
    List<Long> seeds = Trainings.seeds(tree, recipes.getFirst().seed());
    return new RunConfig(
        tree.text("title").orElse("Synthetic training sets"),
        model,
        tree.text("ema").map(Ema::named).orElse(Ema.AS_GIVEN),
        tree.text("precision").map(Precision::named).orElse(Precision.FP32),
        safety(tree),
        tree.count("batch").orElse(usualBatch(sets)),
        stored,
        resize,
        sets,
        recipes.stream().map(recipe -> recipe.withSeed(seeds.getFirst())).toList(),
        seeds,
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
  private static SetConfig set(
      String path, Object value, Optional<Integer> nativeSize, Resize.Filter resize, List<String> architectures) {
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
        plan(tree.path("plan"), keys),
        tree.text("resize").map(Resize.Filter::named).orElse(resize),
        tree.texts("architectures").orElse(architectures));
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
      if (set.resize() != resize) {
        one.put("resize", set.resize().id());
      }
      if (!set.architectures().equals(recipes.stream().map(Recipe::architecture).toList())) {
        one.put("architectures", set.architectures());
      }
      list.add(one);
    }
    tree.put("sets", list);
    tree.put("recipe", recipes.getFirst().toTree());
    tree.put("architectures", Trainings.tree(recipes));
    tree.put("seeds", seeds);
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

  GeneratorOptions generator(Resize.Filter filter, List<SyntheticStore> reuse) {
    return new GeneratorOptions(batch, storedSize, filter, precision, safety, reuse);
  }

  /** Whether the sets that both have are of the same images, so that one may go on where the other was. */
  boolean drawsAlike(RunConfig other) {
    return model.equals(other.model)
        && ema == other.ema
        && precision == other.precision
        && safety == other.safety
        && storedSize == other.storedSize
        && sets.stream().allMatch(set -> other.sets.stream().allMatch(one -> drawnAlike(set, one)));
  }

  private static boolean drawnAlike(SetConfig a, SetConfig b) {
    return !a.folder().equals(b.folder()) || (a.plan().equals(b.plan()) && a.resize() == b.resize());
  }

  /** All trainings, by set, architecture and seed, in that order. */
  List<PlannedTraining> plannedTrainings() {
    var planned = new ArrayList<PlannedTraining>();
    for (SetConfig set : sets) {
      for (Recipe recipe : recipes) {
        for (long seed : set.architectures().contains(recipe.architecture()) ? seeds : List.<Long>of()) {
          planned.add(new PlannedTraining(planned.size() + 1, set, recipe.withSeed(seed)));
        }
      }
    }
    return planned;
  }

  /**
   * How many images will be drawn for each set: none for one whose images all lie in earlier ones, and none for one that is drawn
   * together with an earlier one.
   *
   * @return in the order of the sets
   */
  public Map<SetConfig, Integer> imagesToDraw() {
    return new RunStores(this, Path.of("")).toDraw();
  }

  /** How many classifiers are trained in all. */
  public int trainings() {
    return seeds.size() * sets.stream().mapToInt(set -> set.architectures().size()).sum();
  }

  /** The set with the most tricks. */
  SetConfig richestSet() {
    return sets.stream()
        .max(Comparator.comparingInt(set -> set.plan().mix().imagesPerClass().size()))
        .orElseThrow();
  }
}
