// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.ffi.PixelStorage;
import dev.motley.tricks.PlannedImage;
import dev.motley.tricks.Trick;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/** A set to train on, before it is decided which of its images are. */
abstract sealed class TrainingSource {
  final DataSpec spec;

  /** Names by class index; what {@link #labels} counts in. */
  final List<String> classNames;

  /** Class index of every image. */
  final int[] labels;

  /** For each class of the set itself its index in {@link #classNames}. */
  private final int[] indices;

  /**
   * @param own names of the set itself, in its own order
   * @param ownLabels in that order
   * @param before the sources before this one; the first one's names count
   */
  private TrainingSource(DataSpec spec, List<String> own, int[] ownLabels, List<TrainingSource> before) {
    this.spec = spec;
    classNames = before.isEmpty() ? own : before.getFirst().classNames;
    indices =
        ClassMatch.indices(classNames, own)
            .orElseThrow(
                () ->
                    new InvalidInputException(
                        "%s and %s do not have the same classes: %s, %s"
                            .formatted(
                                before.getFirst().spec.text(),
                                spec.text(),
                                ClassMatch.list(classNames, own),
                                ClassMatch.list(own, classNames))));
    labels = IntStream.of(ownLabels).map(label -> indices[label]).toArray();
  }

  /** Opens a set; of real sets all pictures are read. */
  static TrainingSource open(DataSpec spec, TrainingSet.Options options, List<TrainingSource> before) {
    if (spec.isStore()) {
      return new Store(spec, StoreView.finished(spec.path()), before, options.storage());
    }
    try {
      return new Real(spec, RealData.open(spec, options.ofReal()), before);
    } catch (NoPicturesException e) {
      throw new InvalidInputException(
          "%s is no synthetic store, which would have a %s, and %s".formatted(spec.path(), StoreHeader.FILE, e.getMessage()), e);
    }
  }

  /**
   * What it gives.
   *
   * @param chosen the images that are trained on
   */
  abstract TrainingSet.Source report(int[] chosen);

  /** Groups over which a part of the set is drawn evenly, see {@link EvenDraw#draw}. */
  List<int[]> groups() {
    return List.of();
  }

  /** Whether an image is in none of the sets before; remembers it. */
  boolean isNew(int index, Set<String> seen) {
    return true;
  }

  /** Key to class name of the images that the safety checker had left out. */
  Map<String, String> leftOut() {
    return Map.of();
  }

  /** A class of the set itself, by the common names. */
  final int ownIndex(int label) {
    return indices[label];
  }

  /** Some of the images, labelled by {@link #classNames}; can be asked once. */
  final ImageSet read(int[] chosen) {
    return load(chosen).relabelled(classNames, indices);
  }

  /** Some of the images, labelled as the set itself has it. */
  abstract ImageSet load(int[] chosen);

  /** A finished synthetic store: its images are only decoded when they are chosen. */
  private static final class Store extends TrainingSource {
    private final SyntheticStore store;
    private final PixelStorage storage;

    Store(DataSpec spec, SyntheticStore store, List<TrainingSource> before, PixelStorage storage) {
      super(
          spec,
          store.header().plan().spec().classes().labels(),
          store.entries().stream().mapToInt(entry -> store.planned(entry).classIndex()).toArray(),
          before);
      this.store = store;
      this.storage = storage;
    }

    @Override
    TrainingSet.Source report(int[] chosen) {
      List<StoreEntry> entries = store.entries();
      var byTrick = new EnumMap<Trick, Integer>(Trick.class);
      IntStream.of(chosen).forEach(i -> byTrick.merge(store.planned(entries.get(i)).trick(), 1, Integer::sum));
      if (chosen.length == entries.size()) {
        store.dropped().forEach(drop -> byTrick.merge(store.planned(drop).trick(), 1, Integer::sum));
      }
      return new TrainingSet.Source(
          spec.text(), "synthetic store", entries.size(), chosen.length, 0, Optional.of(store.header()), byTrick);
    }

    @Override
    List<int[]> groups() {
      return List.of(numbered(image -> image.trick().id()), numbered(PlannedImage::domain));
    }

    private int[] numbered(Function<PlannedImage, String> groupOf) {
      Map<String, Integer> numbers = new HashMap<>();
      return store.entries().stream()
          .mapToInt(entry -> numbers.computeIfAbsent(groupOf.apply(store.planned(entry)), _ -> numbers.size()))
          .toArray();
    }

    @Override
    boolean isNew(int index, Set<String> seen) {
      StoreEntry entry = store.entries().get(index);
      return seen.add(entry.key() + " " + entry.pngLength() + " " + entry.pngCrc());
    }

    @Override
    Map<String, String> leftOut() {
      var left = new LinkedHashMap<String, String>();
      store.dropped().forEach(drop -> left.put(drop.key(), classNames.get(ownIndex(store.planned(drop).classIndex()))));
      return left;
    }

    @Override
    ImageSet load(int[] chosen) {
      var items = new ArrayList<StoreView.Item>(chosen.length);
      for (int i : chosen) {
        items.add(new StoreView.Item(store, store.entries().get(i)));
      }
      return new StoreView(store.folder().toString(), items).load(storage);
    }
  }

  /** Real pictures. */
  private static final class Real extends TrainingSource {
    private final RealData data;

    Real(DataSpec spec, RealData data, List<TrainingSource> before) {
      super(spec, data.images().classNames(), data.images().labels(), before);
      this.data = data;
    }

    @Override
    TrainingSet.Source report(int[] chosen) {
      return new TrainingSet.Source(
          spec.text(), data.format(), labels.length, chosen.length, data.unreadable(), Optional.empty(), Map.of());
    }

    @Override
    ImageSet load(int[] chosen) {
      return data.images().subset(chosen).insteadOf(data.images());
    }
  }
}
