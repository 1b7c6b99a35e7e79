// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.ffi.PixelStorage;
import dev.motley.ffi.PixelWriter;
import dev.motley.image.Png;
import dev.motley.image.RgbImage;
import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.PlannedImage;
import dev.motley.tricks.Trick;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * A dataset made of images of one or more synthetic stores, without copying them: whole stores,
 * parts, unions, mixes of equal budget. All stores have the same classes.
 *
 * <p>Immutable and safe for use by several threads.
 *
 * @param name what to call it in messages and reports
 * @param items the images, in order
 */
public record StoreView(String name, List<Item> items) {
  /** Images that one thread decodes at a time. */
  private static final int LONGEST_RUN = 128;

  /**
   * An image and the store it lies in.
   *
   * @param store the store
   * @param entry the image
   */
  public record Item(SyntheticStore store, StoreEntry entry) {

    /**
     * Returns what was planned.
     *
     * @return the plan's image
     */
    public PlannedImage planned() {
      return store.planned(entry);
    }

    /** Whether another store's image of the same key has the same pixels, as its checksum tells. */
    private boolean sameBytes(Item other) {
      return entry.pngLength() == other.entry.pngLength() && entry.pngCrc() == other.entry.pngCrc();
    }
  }

  /** Checks that all stores have the same classes. */
  public StoreView {
    items = List.copyOf(items);
    for (SyntheticStore store : items.stream().map(Item::store).distinct().toList()) {
      requireSameClasses(name, itemsFirst(items), store);
    }
  }

  private static SyntheticStore itemsFirst(List<Item> items) {
    return items.getFirst().store;
  }

  private static void requireSameClasses(String name, SyntheticStore a, SyntheticStore b) {
    List<String> of = a.header().plan().spec().classes().folders();
    List<String> first = b.header().plan().spec().classes().folders();
    if (!of.equals(first)) {
      throw new InvalidInputException(
          "%s: store %s has the %d classes of '%s', store %s the %d of '%s'; expected the same"
              .formatted(
                  name,
                  a.folder(),
                  of.size(),
                  a.header().plan().spec().classes().name(),
                  b.folder(),
                  first.size(),
                  b.header().plan().spec().classes().name()));
    }
  }

  /**
   * All images of a store.
   *
   * @param store the store
   * @return the view, in plan order
   */
  public static StoreView of(SyntheticStore store) {
    return new StoreView(
        store.folder().toString(),
        store.entries().stream().map(entry -> new Item(store, entry)).toList());
  }

  /**
   * The union of finished stores: an image that several hold counts once.
   *
   * @param folders of the stores, at least one
   * @return the view, named after the folders
   * @throws InvalidInputException if one is no store or lacks images of its plan
   */
  public static StoreView ofFinished(List<Path> folders) {
    String name = folders.stream().map(Path::toString).collect(Collectors.joining(", "));
    List<SyntheticStore> stores = folders.stream().map(StoreView::finished).toList();
    StoreView view = union(name, stores.stream().map(StoreView::of).toList());
    int dropped = stores.stream().mapToInt(store -> store.dropped().size()).sum();
    if (view.items.isEmpty() && dropped > 0) {
      throw new InvalidInputException(
          "%s has no images: the safety checker had all %,d left out".formatted(name, dropped));
    }
    return view;
  }

  /** A store that lacks nothing of its plan. */
  static SyntheticStore finished(Path folder) {
    SyntheticStore store = SyntheticStore.open(folder);
    if (!store.isComplete()) {
      throw new InvalidInputException(
          "%s has %d of its %d images: run 'generate' again to draw the rest"
              .formatted(folder, store.slots().size(), store.header().plan().size()));
    }
    return store;
  }

  /**
   * The images of a plan, each from the first store that has exactly it: how a combined set shares
   * the images of the base class set. An image that the safety checker had left out is left out
   * here, too. All stores must be of one model and config.
   *
   * @param name what to call the view
   * @param plan the plan
   * @param stores where to look
   * @return the view, in the plan's order
   * @throws InvalidInputException if an image is in none of them, or the stores differ in model or
   *     config
   */
  public static StoreView ofPlan(String name, GenerationPlan plan, List<SyntheticStore> stores) {
    var items = new Item[plan.size()];
    var dropped = new BitSet();
    for (SyntheticStore store : stores) {
      requireSameMaking(name, store, stores.getFirst());
      BitSet alike = plan.reusableFrom(store.header().plan());
      for (int i = alike.nextSetBit(0); i >= 0; i = alike.nextSetBit(i + 1)) {
        OptionalInt there = store.header().plan().find(plan.image(i).key());
        if (items[i] == null && there.getAsInt() < store.slots().size()) {
          switch (store.slots().get(there.getAsInt())) {
            case StoreEntry entry -> items[i] = new Item(store, entry);
            case StoreDrop _ -> dropped.set(i);
          }
        }
      }
    }
    var found = new ArrayList<Item>(items.length);
    int missing = 0;
    String first = "";
    for (int i = 0; i < items.length; i++) {
      if (items[i] == null && dropped.get(i)) {
        continue;
      }
      if (items[i] == null) {
        first = missing++ == 0 ? plan.image(i).key() : first;
      } else {
        found.add(items[i]);
      }
    }
    if (missing > 0) {
      throw new InvalidInputException(
          "%s: %,d of the plan's %,d images are in none of the stores %s; the first is '%s'"
              .formatted(
                  name,
                  missing,
                  plan.size(),
                  stores.stream().map(SyntheticStore::folder).toList(),
                  first));
    }
    return new StoreView(name, found);
  }

  private static void requireSameMaking(String name, SyntheticStore a, SyntheticStore b) {
    StoreHeader one = a.header();
    StoreHeader other = b.header();
    if (!one.modelHash().equals(other.modelHash()) || !one.config().equals(other.config())) {
      throw new InvalidInputException(
          "%s: stores %s (model %s, %s) and %s (model %s, %s) were not drawn alike"
              .formatted(
                  name,
                  a.folder(),
                  StoreHeader.shown(one.modelHash()),
                  one.config(),
                  b.folder(),
                  StoreHeader.shown(other.modelHash()),
                  other.config()));
    }
  }

  /**
   * The union by key: an image that several views have counts once.
   *
   * @param name what to call the view
   * @param views the views
   * @return the images of the first view, then those of the second that the first has not, and so
   *     on
   * @throws InvalidInputException if two have different images under one key; {@link #concat} keeps
   *     both
   */
  public static StoreView union(String name, List<StoreView> views) {
    Map<String, Item> byKey = new LinkedHashMap<>();
    for (StoreView view : views) {
      for (Item item : view.items) {
        Item other = byKey.putIfAbsent(item.entry.key(), item);
        if (other != null && !other.sameBytes(item)) {
          throw new InvalidInputException(
              "%s: '%s' is one image in %s and another in %s"
                  .formatted(name, item.entry.key(), other.store.folder(), item.store.folder()));
        }
      }
    }
    return new StoreView(name, List.copyOf(byKey.values()));
  }

  /**
   * One view after the other; for sets of different seeds or models.
   *
   * @param name what to call the view
   * @param views the views
   * @return all their images
   */
  public static StoreView concat(String name, List<StoreView> views) {
    return new StoreView(name, views.stream().flatMap(view -> view.items.stream()).toList());
  }

  /**
   * A mix with a budget: of every class {@code perClass} images in all, the views' shares equal,
   * the first views' one larger where they do not divide.
   *
   * @param name what to call the view
   * @param views the views, disjoint by key or of different seeds
   * @param perClass images per class, of all views together
   * @return the mix
   * @throws InvalidInputException if a view has too few of a class
   */
  public static StoreView equalBudget(String name, List<StoreView> views, int perClass) {
    var parts = new ArrayList<StoreView>();
    for (int i = 0; i < views.size(); i++) {
      int share = perClass / views.size() + (i < perClass % views.size() ? 1 : 0);
      StoreView part = views.get(i).maxPerClass(share);
      requireFull(name, part, share);
      parts.add(part);
    }
    return concat(name, parts);
  }

  private static void requireFull(String name, StoreView part, int share) {
    if (share == 0) {
      return;
    }
    if (part.items.isEmpty()) {
      throw new InvalidInputException(name + ": " + part.name + " has no images");
    }
    List<String> classes = part.classNames();
    int[] counts = new int[classes.size()];
    part.items.forEach(item -> counts[item.planned().classIndex()]++);
    for (int c = 0; c < counts.length; c++) {
      if (counts[c] < share) {
        throw new InvalidInputException(
            "%s: %s has %d images of '%s', the mix needs %d"
                .formatted(name, part.name, counts[c], classes.get(c), share));
      }
    }
  }

  /**
   * The first images.
   *
   * @param count how many at most; of a store's prefix every class has as many, to within one
   * @return the view
   */
  public StoreView first(int count) {
    return new StoreView(name, items.subList(0, Math.clamp(count, 0, items.size())));
  }

  /**
   * At most so many images of every class, the first of each.
   *
   * @param perClass how many
   * @return the view
   */
  public StoreView maxPerClass(int perClass) {
    var counts = new HashMap<Integer, Integer>();
    return keep(image -> counts.merge(image.classIndex(), 1, Integer::sum) <= perClass);
  }

  /**
   * The images of some tricks.
   *
   * @param tricks the tricks
   * @return the view
   */
  public StoreView only(Set<Trick> tricks) {
    return keep(image -> tricks.contains(image.trick()));
  }

  /**
   * The images whose plan meets a condition, which is asked once for each, in order.
   *
   * @param condition the condition
   * @return the view
   */
  public StoreView keep(Predicate<PlannedImage> condition) {
    return new StoreView(
        name, items.stream().filter(item -> condition.test(item.planned())).toList());
  }

  /**
   * The same under another name.
   *
   * @param other the name
   * @return the view
   */
  public StoreView named(String other) {
    return new StoreView(other, items);
  }

  /**
   * Returns the number of images.
   *
   * @return 0 or more
   */
  public int size() {
    return items.size();
  }

  /**
   * Returns the names of the classes as classifiers know them (spaces where folders have underscores), in label order.
   *
   * @return the names; empty for an empty view
   */
  public List<String> classNames() {
    return items.isEmpty()
        ? List.of()
        : itemsFirst(items).header().plan().spec().classes().labels();
  }

  /**
   * Reads and decodes all images, on all cores, into one packed set; classes are named as by
   * {@link #classNames}.
   *
   * @return the images in the view's order
   * @throws InvalidInputException if there are none, they differ in size, or one is damaged
   */
  public ImageSet load() {
    return load(PixelStorage.standard());
  }

  /**
   * As {@link #load()}.
   *
   * @param storage where the pixels are kept
   */
  public ImageSet load(PixelStorage storage) {
    if (items.isEmpty()) {
      throw new InvalidInputException(name + ": no images");
    }
    Item first = items.getFirst();
    RgbImage shape = decode(first, first.store.png(first.entry));
    long bytes = shape.pixels().length;
    try (var pixels = new PixelWriter(name, storage, items.size() * bytes)) {
      var labels = new int[items.size()];
      runs().parallelStream()
          .forEach(
              run ->
                  items.get(run.from).store.pngs(
                      items.subList(run.from, run.to).stream().map(Item::entry).toList(),
                      (i, png) -> {
                        Item item = items.get(run.from + i);
                        RgbImage image = decode(item, png);
                        requireSize(item, image, shape);
                        pixels.put((run.from + i) * bytes, image.pixels());
                        labels[run.from + i] = item.planned().classIndex();
                      }));
      return new ImageSet(name, shape.height(), shape.width(), pixels.finish(), labels, classNames());
    }
  }

  private void requireSize(Item item, RgbImage image, RgbImage expected) {
    if (image.height() != expected.height() || image.width() != expected.width()) {
      throw new InvalidInputException(
          "%s: '%s' has %dx%d pixels, '%s' has %dx%d; expected one size"
              .formatted(
                  name,
                  item.entry.key(),
                  image.width(),
                  image.height(),
                  items.getFirst().entry.key(),
                  expected.width(),
                  expected.height()));
    }
  }

  /** Neighbours in the view that lie in one shard. */
  private record Span(int from, int to) {}

  /** The view cut into pieces of work: each within a shard, which is then opened once, and small enough to be shared out. */
  private List<Span> runs() {
    var runs = new ArrayList<Span>();
    int from = 0;
    for (int i = 1; i <= items.size(); i++) {
      if (i == items.size()
          || i - from == LONGEST_RUN
          || items.get(i).store != items.get(from).store
          || items.get(i).entry.shard() != items.get(from).entry.shard()) {
        runs.add(new Span(from, i));
        from = i;
      }
    }
    return runs;
  }

  private static RgbImage decode(Item item, byte[] png) {
    return Png.decode(item.store.folder() + ": " + item.entry.key() + ".png", png);
  }
}
