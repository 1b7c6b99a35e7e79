// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import dev.motley.ProgressListener;
import dev.motley.dataset.DatasetGenerator;
import dev.motley.dataset.StoreView;
import dev.motley.dataset.SyntheticStore;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.image.Resize;
import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.PlanSpec;
import dev.motley.tricks.Trick;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The images of a run's sets. Sets of equal plans and different filters are drawn together; one whose images all lie in stores drawn
 * before is a view of them and has none of its own.
 */
final class RunStores {
  private static final String IMAGES = "images";

  private final RunConfig config;
  private final Path folder;

  /** Those that are finished, by set. */
  private final Map<RunConfig.SetConfig, SyntheticStore> drawn = new LinkedHashMap<>();

  RunStores(RunConfig config, Path folder) {
    this.config = config;
    this.folder = folder;
  }

  /** All that belongs to a set lies in it. */
  Path folder(RunConfig.SetConfig set) {
    return folder.resolve(set.folder());
  }

  /** Whether the store of a set, of this run or of another one in its folder, has images. */
  boolean holdImages(RunConfig.SetConfig set) {
    return SyntheticStore.holdsImages(images(set));
  }

  private Path images(RunConfig.SetConfig set) {
    return folder(set).resolve(IMAGES);
  }

  /** The sets in the config's order, those of equal plans together. */
  List<List<RunConfig.SetConfig>> drawnTogether() {
    var byPlan = new LinkedHashMap<Object, List<RunConfig.SetConfig>>();
    for (RunConfig.SetConfig set : config.sets()) {
      byPlan.computeIfAbsent(set.plan(), _ -> new ArrayList<>()).add(set);
    }
    return List.copyOf(byPlan.values());
  }

  /** Whether the stores drawn so far hold every image of every one of these sets. */
  boolean covers(List<RunConfig.SetConfig> sets) {
    return sets.stream().allMatch(this::isCovered);
  }

  private boolean isCovered(RunConfig.SetConfig set) {
    return lacking(set.plan(), alike(set).stream().map(store -> store.header().plan().spec()).toList()) == 0;
  }

  /** How many images of a plan are in none of others. */
  private static int lacking(PlanSpec spec, List<PlanSpec> others) {
    if (others.stream().allMatch(other -> other.with(spec.mix()).equals(spec))) { // image k of a trick is the same in every mix
      int perClass = 0;
      for (Map.Entry<Trick, Integer> one : spec.mix().imagesPerClass().entrySet()) {
        int there =
            others.stream().mapToInt(other -> other.mix().imagesPerClass().getOrDefault(one.getKey(), 0)).max().orElse(0);
        perClass += Math.max(0, one.getValue() - there);
      }
      return perClass * spec.classes().size();
    }
    GenerationPlan plan = GenerationPlan.of(spec);
    var there = new BitSet();
    others.forEach(other -> there.or(plan.reusableFrom(GenerationPlan.of(other))));
    return plan.size() - there.cardinality();
  }

  /** The stores whose images were resized as the set's are. */
  private List<SyntheticStore> alike(RunConfig.SetConfig set) {
    return drawn.entrySet().stream()
        .filter(one -> filter(one.getKey()).equals(filter(set)))
        .map(Map.Entry::getValue)
        .toList();
  }

  /** The filter where there is something to resize. */
  private Optional<Resize.Filter> filter(RunConfig.SetConfig set) {
    int stored = config.storedSize();
    boolean asDrawn = stored == 0 || (stored == set.plan().width() && stored == set.plan().height());
    return asDrawn ? Optional.empty() : Optional.of(set.resize());
  }

  /** What {@link RunConfig#imagesToDraw} tells. */
  Map<RunConfig.SetConfig, Integer> toDraw() {
    var counts = new LinkedHashMap<RunConfig.SetConfig, Integer>();
    config.sets().forEach(set -> counts.put(set, 0));
    var earlier = new ArrayList<RunConfig.SetConfig>();
    for (List<RunConfig.SetConfig> alike : drawnTogether()) {
      int filters = (int) alike.stream().map(this::filter).distinct().count();
      int most = 0;
      for (RunConfig.SetConfig set : alike) {
        List<PlanSpec> others =
            earlier.stream().filter(one -> filter(one).equals(filter(set))).map(RunConfig.SetConfig::plan).toList();
        int lacking = lacking(set.plan(), others);
        most = Math.max(most, filters > 1 && lacking > 0 ? GenerationPlan.of(set.plan()).size() : lacking);
      }
      counts.put(alike.getFirst(), most);
      earlier.addAll(alike);
    }
    return counts;
  }

  /** Draws what the stores of these sets lack; all have one plan. */
  void draw(List<RunConfig.SetConfig> alike, DiffusionPipeline pipeline, ProgressListener listener) {
    RunConfig.SetConfig first = alike.getFirst();
    var filters = new LinkedHashMap<Path, Resize.Filter>();
    var folders = new HashMap<Optional<Resize.Filter>, RunConfig.SetConfig>();
    for (RunConfig.SetConfig set : alike) {
      if (folders.putIfAbsent(filter(set), set) == null) { // a second one of the same filter is a view
        filters.put(images(set), set.resize());
      }
    }
    DatasetGenerator.generate(
        GenerationPlan.of(first.plan()), pipeline, filters, config.generator(first.resize(), alike(first)), listener);
    folders.values().forEach(set -> drawn.put(set, SyntheticStore.open(images(set))));
  }

  /** The images of a set, once all are drawn. */
  StoreView view(RunConfig.SetConfig set) {
    SyntheticStore own = drawn.get(set);
    return own == null
        ? StoreView.ofPlan(set.name(), GenerationPlan.of(set.plan()), alike(set))
        : StoreView.ofFinished(List.of(own.folder()));
  }

  /** The store of a set, if it has one of its own. */
  Optional<SyntheticStore> own(RunConfig.SetConfig set) {
    return Optional.ofNullable(drawn.get(set));
  }
}
