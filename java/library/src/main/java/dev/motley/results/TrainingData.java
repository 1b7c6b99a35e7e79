// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.InvalidInputException;
import dev.motley.config.Tree;
import dev.motley.dataset.ImageSet;
import dev.motley.dataset.StoreHeader;
import dev.motley.dataset.StoreSlot;
import dev.motley.dataset.StoreView;
import dev.motley.dataset.SyntheticStore;
import dev.motley.train.Recipe;
import dev.motley.tricks.ClassList;
import dev.motley.tricks.Fidelity;
import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.Trick;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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
    String preset) {
  /** The {@link #resize} of images that have the size they were drawn in. */
  public static final String NOT_RESIZED = "none";

  static final List<String> KEYS =
      List.of("dataset", "set", "classes", "per-class", "images", "size", "resize", "model", "preset");

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
   * Finished stores together.
   *
   * @param folders of the stores, at least one
   * @param images of all of them, decoded
   */
  public static TrainingData of(List<Path> folders, ImageSet images) {
    List<SyntheticStore> stores = folders.stream().map(SyntheticStore::open).toList();
    var keys = new HashSet<String>();
    var planned = new EnumMap<Trick, Integer>(Trick.class);
    for (SyntheticStore store : stores) {
      for (StoreSlot slot : store.slots()) {
        if (keys.add(slot.key())) {
          planned.merge(store.planned(slot).trick(), 1, Integer::sum);
        }
      }
    }
    int classes = images.classNames().size();
    planned.replaceAll((_, all) -> Math.ceilDiv(all, classes));
    return of(images.name(), planned, stores.getFirst().header(), images);
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
        header.plan().spec().fidelity().id());
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
        "");
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
        text(tree, "preset"));
  }

  static String text(Tree tree, String key) {
    return tree.text(key).orElseThrow(() -> missing(tree, key));
  }

  static InvalidInputException missing(Tree tree, String key) {
    return new InvalidInputException("'" + tree.path(key) + "' is missing");
  }
}
