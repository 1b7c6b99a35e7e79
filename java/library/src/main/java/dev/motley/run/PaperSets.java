// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import dev.motley.InvalidInputException;
import dev.motley.image.Resize;
import dev.motley.train.Recipe;
import dev.motley.tricks.DatasetPreset;
import dev.motley.tricks.Trick;
import dev.motley.weights.Checkpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The sets of one dataset. The base class is resized as the paper's base is, without anti-aliasing, and, of the same drawings, with it;
 * the tricks as the paper has them. Beside the paper's own sets there is one that it lacks: all tricks combined with no more images than
 * the base class, so that a gain is not one of numbers. Only what no earlier set holds is drawn.
 */
final class PaperSets {
  private static final String MAIN_ARCHITECTURE = "resnet50";
  private static final String FASHION = "fashion-mnist";

  private final Paper paper;
  private final DatasetPreset dataset;
  private final Embedded embedded;
  private final int perClass;
  private final int drawnSize;
  private final int storedSize;
  private final List<Object> sets = new ArrayList<>();

  PaperSets(Paper paper, String name, Embedded embedded) {
    this.paper = paper;
    this.embedded = embedded;
    dataset = DatasetPreset.named(name);
    perClass = paper.scale().of(dataset.perClass());
    drawnSize = paper.size().orElseGet(() -> nativeSize(dataset.drawnSize()));
    storedSize = paper.storedSize().orElse(Math.min(drawnSize, dataset.storedSize()));
  }

  private int nativeSize(int otherwise) {
    Path model = paper.model().equals(RunConfig.EMBEDDED) ? embedded.model() : Path.of(paper.model());
    return Checkpoint.nativeSize(model).orElse(otherwise);
  }

  RunConfig config() {
    addAll();
    String name = dataset.classes().name();
    var tree = new LinkedHashMap<String, Object>();
    tree.put("title", "The paper's sets of " + name);
    tree.put("model", paper.model());
    tree.put("ema", paper.ema().id());
    tree.put("precision", paper.precision().id());
    tree.put("stored-size", storedSize == drawnSize ? 0 : storedSize);
    tree.put("resize", filter(dataset.antialias()).id());
    tree.put("sets", sets);
    var recipe = new LinkedHashMap<String, Object>();
    recipe.put("preset", paper.recipe());
    paper.epochs().ifPresent(epochs -> recipe.put("epochs", epochs));
    recipe.put("held-out", heldOut(name));
    tree.put("recipe", recipe);
    tree.put("architectures", paper.architectures());
    tree.put("seeds", paper.seeds());
    tree.put("real", real(name));
    return RunConfig.of(tree, embedded);
  }

  /** Of as many images as there are here, the share that the recipe holds out of the paper's number. */
  private int heldOut(String name) {
    int ofWhole = Recipe.named(paper.recipe(), paper.architectures().getFirst(), name, storedSize).heldOut();
    return (int) ((long) ofWhole * perClass / dataset.perClass());
  }

  private String real(String name) {
    if (!paper.real().containsKey(name) && !name.equals(FASHION)) {
      return "";
    }
    return paper.real().getOrDefault(name, RunConfig.EMBEDDED);
  }

  private static Resize.Filter filter(boolean antialias) {
    return antialias ? Resize.Filter.BILINEAR_AA : Resize.Filter.BILINEAR;
  }

  private void addAll() {
    boolean antialias = dataset.antialias();
    Set<Trick> best = dataset.best().imagesPerClass().keySet();
    boolean bestIsOneDoubled = best.size() == 1;
    Collection<Trick> united = bestIsOneDoubled ? dataset.combined() : best;
    add("Base class", "The plain prompt.", List.of(Trick.BASE_CLASS), perClass, false, false, paper.architectures());
    if (storedSize != drawnSize) {
      add("Base class, anti-aliased", "The same drawings, shrunk with anti-aliasing.", List.of(Trick.BASE_CLASS), perClass, false, true, main());
    }
    if (bestIsOneDoubled) {
      add("Random guidance, doubled", "The best tricks: random guidance, twice the images.", best, 2 * perClass, false, antialias, paper.architectures());
    }
    for (Trick trick : Trick.values()) {
      if (trick != Trick.BASE_CLASS && dataset.combined().contains(trick)) {
        add(title(trick), "That trick alone.", List.of(trick), perClass, false, antialias, main());
      }
    }
    List<String> ofCombined = bestIsOneDoubled ? main() : paper.architectures();
    add("All combined", "The sets of %s together.".formatted(names(united)), united, perClass, false, antialias, ofCombined);
    if (perClass >= united.size()) {
      add("All combined, equal budget", "As many images as the base class, shared out.", united, perClass, true, antialias, main());
    }
  }

  private List<String> main() {
    return List.of(paper.architectures().contains(MAIN_ARCHITECTURE) ? MAIN_ARCHITECTURE : paper.architectures().getFirst());
  }

  private static String title(Trick trick) {
    String words = trick == Trick.MULTI_DOMAIN ? trick.id() : trick.id().replace('-', ' ');
    return Character.toUpperCase(words.charAt(0)) + words.substring(1);
  }

  private static String names(Collection<Trick> tricks) {
    return String.join(", ", tricks.stream().map(trick -> trick.id().replace('-', ' ')).toList());
  }

  private void add(
      String name,
      String description,
      Collection<Trick> tricks,
      int images,
      boolean equalBudget,
      boolean antialias,
      List<String> architectures) {
    var plan = new LinkedHashMap<String, Object>();
    plan.put("preset", paper.preset().id());
    plan.put("classes", dataset.classes().name());
    plan.put("tricks", tricks.stream().map(Trick::id).toList());
    plan.put("per-class", images);
    plan.put("budget", equalBudget ? "equal" : "each");
    plan.put("width", drawnSize);
    plan.put("height", drawnSize);
    paper.steps().ifPresent(steps -> plan.put("sampling", Map.of("steps", steps)));
    var set = new LinkedHashMap<String, Object>();
    set.put("name", name);
    set.put("description", description);
    set.put("plan", plan);
    set.put("resize", filter(antialias).id());
    set.put("architectures", architectures);
    sets.add(set);
  }

  static InvalidInputException noRealImages(String classes) {
    return new InvalidInputException(
        "no real images to test '%s' on: give --real %s=DIR, as 'evaluate' takes them".formatted(classes, classes));
  }
}
