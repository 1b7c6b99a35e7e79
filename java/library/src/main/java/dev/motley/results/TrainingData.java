// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.InvalidInputException;
import dev.motley.config.Tree;
import dev.motley.dataset.ImageSet;
import dev.motley.dataset.StoreHeader;
import dev.motley.dataset.StoreView;
import dev.motley.dataset.TrainingSet;
import dev.motley.image.Resize;
import dev.motley.train.Recipe;
import dev.motley.tricks.ClassList;
import dev.motley.tricks.Fidelity;
import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.Trick;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a classifier learned from.
 *
 * @param dataset the built-in class list of these classes, such as {@code cifar10}; else the name of the list
 * @param set what the images are called, for people
 * @param classes how many classes
 * @param perClass planned images of one class by trick; empty for images that no plan describes, such as real ones
 * @param images how many in all, less than planned where the safety checker left some out
 * @param size width and height in pixels
 * @param resize the filter that made that size of the drawn one; {@code none} where it was drawn so
 * @param model hash of the diffusion model; empty for real images
 * @param preset {@link Fidelity#id} of the plan; empty for real images
 * @param sha256 of the images and their labels, see {@link ImageSet#sha256}; empty in records that lack it
 * @param from hash of the weights that the training began with, and what of them was trained; empty from scratch
 */
public record TrainingData(
    String dataset,
    String set,
    int classes,
    Map<Trick, Integer> perClass,
    int images,
    int size,
    String resize,
    String model,
    String preset,
    String sha256,
    String from) {
  /** The {@link #resize} of images that have the size they were drawn in. */
  public static final String NOT_RESIZED = "none";

  static final List<String> KEYS =
      List.of("dataset", "set", "classes", "per-class", "images", "size", "resize", "model", "preset", "sha256", "from");

  /** Copies the map, in the paper's order of tricks. */
  public TrainingData {
    var ordered = new EnumMap<Trick, Integer>(Trick.class);
    ordered.putAll(perClass);
    perClass = Collections.unmodifiableMap(ordered);
  }

  /**
   * Images of one plan, wherever they lie.
   *
   * @param set what to call them
   * @param plan of all of them
   * @param view the images that were made of it, at least one
   * @param images the same, decoded
   */
  public static TrainingData of(String set, GenerationPlan plan, StoreView view, ImageSet images) {
    return of(set, plan.spec().mix().imagesPerClass(), view.items().getFirst().store().header(), images);
  }

  /**
   * What a classifier is trained on, wherever it comes from. Stores alone are told by their tricks; where real images are among
   * them, no plan describes the whole.
   *
   * @param set the images
   */
  public static TrainingData of(TrainingSet set) {
    ImageSet images = set.images();
    List<StoreHeader> headers = set.sources().stream().flatMap(source -> source.header().stream()).toList();
    if (headers.size() < set.sources().size()) {
      return of(images).resizedBy(set.resize());
    }
    var planned = new EnumMap<Trick, Integer>(Trick.class);
    set.sources().forEach(source -> source.byTrick().forEach((trick, count) -> planned.merge(trick, count, Integer::sum)));
    return of(images.name(), perClass(planned, images.classNames().size()), headers.getFirst(), images).resizedBy(set.resize());
  }

  /** Images of one class by trick; shares that are no whole numbers are rounded so that their sum is that of all. */
  static Map<Trick, Integer> perClass(Map<Trick, Integer> planned, int classes) {
    var perClass = new EnumMap<Trick, Integer>(Trick.class);
    int all = 0;
    int before = 0;
    for (Trick trick : new EnumMap<>(planned).keySet()) {
      all += planned.get(trick);
      int now = Math.round((float) all / classes);
      perClass.put(trick, now - before);
      before = now;
    }
    return perClass;
  }

  private TrainingData resizedBy(Optional<Resize.Filter> filter) {
    return filter
        .map(f -> new TrainingData(dataset, set, classes, perClass, images, size, f.id(), model, preset, sha256, from))
        .orElse(this);
  }

  private static TrainingData of(String set, Map<Trick, Integer> perClass, StoreHeader header, ImageSet images) {
    ClassList classes = header.plan().spec().classes();
    return new TrainingData(
        dataset(classes.labels(), classes.name()),
        set,
        classes.size(),
        perClass,
        images.count(),
        images.width(),
        String.valueOf(header.config().getOrDefault("resize", NOT_RESIZED)),
        header.modelHash(),
        header.plan().spec().fidelity().id(),
        images.sha256(),
        "");
  }

  /** Images of which nothing but themselves is known, such as real ones. */
  public static TrainingData of(ImageSet images) {
    return new TrainingData(
        dataset(images.classNames(), images.name()),
        images.name(),
        images.classNames().size(),
        Map.of(),
        images.count(),
        images.width(),
        NOT_RESIZED,
        "",
        "",
        images.sha256(),
        "");
  }

  /**
   * The same for a training that began with given weights.
   *
   * @param identity of these
   */
  public TrainingData beganWith(String identity) {
    return new TrainingData(dataset, set, classes, perClass, images, size, resize, model, preset, sha256, identity);
  }

  /** The built-in list of just these classes, in any order. */
  static String dataset(List<String> labels, String otherwise) {
    String known = Recipe.datasetOf(labels);
    return known.equals(Recipe.OTHER_DATASET) ? otherwise : known;
  }

  /** Planned images of one class, of all tricks together; of images without a plan the mean, rounded. */
  public int totalPerClass() {
    return perClass.isEmpty()
        ? Math.round((float) images / classes)
        : perClass.values().stream().mapToInt(Integer::intValue).sum();
  }

  Map<String, Object> toTree() {
    var tree = new LinkedHashMap<String, Object>();
    tree.put("dataset", dataset);
    tree.put("set", set);
    tree.put("classes", classes);
    var tricks = new LinkedHashMap<String, Object>();
    perClass.forEach((trick, count) -> tricks.put(trick.id(), count));
    tree.put("per-class", tricks);
    tree.put("images", images);
    tree.put("size", size);
    tree.put("resize", resize);
    tree.put("model", model);
    tree.put("preset", preset);
    tree.put("sha256", sha256);
    tree.put("from", from);
    return tree;
  }

  static TrainingData fromTree(Tree tree) {
    var perClass = new EnumMap<Trick, Integer>(Trick.class);
    Tree tricks = tree.tree("per-class", Trick.ids()).orElseThrow(() -> missing(tree, "per-class"));
    tricks.keys().forEach(trick -> perClass.put(Trick.named(trick), tricks.count(trick).orElseThrow()));
    int classes = tree.count("classes").orElseThrow(() -> missing(tree, "classes"));
    if (classes < 1) {
      throw Tree.wrong(tree.path("classes"), "1 or more", classes);
    }
    return new TrainingData(
        text(tree, "dataset"),
        text(tree, "set"),
        classes,
        perClass,
        tree.count("images").orElseThrow(() -> missing(tree, "images")),
        tree.count("size").orElseThrow(() -> missing(tree, "size")),
        text(tree, "resize"),
        text(tree, "model"),
        text(tree, "preset"),
        tree.text("sha256").orElse(""),
        tree.text("from").orElse(""));
  }

  static String text(Tree tree, String key) {
    return tree.text(key).orElseThrow(() -> missing(tree, key));
  }

  static InvalidInputException missing(Tree tree, String key) {
    return new InvalidInputException("'" + tree.path(key) + "' is missing");
  }
}
