// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.ffi.PixelStorage;
import dev.motley.image.Resize;
import dev.motley.tricks.Trick;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a classifier is trained on: synthetic stores and real sets, any number of them one after the other. Classes are matched by
 * name, see {@link ClassMatch}; the first set's order and spelling count. An image that several stores hold counts once.
 *
 * @param images all together
 * @param sources what each gave, in the order they were named
 * @param resize how the pictures were given the size that was asked for; empty if none was
 * @param leftOut class name to number of images that the safety checker had left out of the stores
 */
public record TrainingSet(
    ImageSet images, List<Source> sources, Optional<Resize.Filter> resize, Map<String, Integer> leftOut) {

  /**
   * What one set gave.
   *
   * @param spec how it was named
   * @param format {@code synthetic store}, or as {@link RealData#format} has it
   * @param held images it has
   * @param used images of it that are trained on
   * @param unreadable pictures left out because they could not be decoded
   * @param header of a synthetic store, empty for real images
   * @param byTrick of a synthetic store how many of each trick are trained on; where it is taken as a whole, those that the safety
   *     checker had left out count
   */
  public record Source(
      String spec,
      String format,
      int held,
      int used,
      int unreadable,
      Optional<StoreHeader> header,
      Map<Trick, Integer> byTrick) {}

  /**
   * How much of the sets, and in which size.
   *
   * @param maxPerClass most images of each class in all, taken evenly over the sets, of each evenly over its tricks, of each trick over its domains; 0:
   *     no limit. With a limit, sets of different size can be compared at equal budgets
   * @param seed decides which images stand for a set of which not all are taken
   * @param size width and height to resize to; 0 keeps the pictures as they are
   * @param filter how to resize
   * @param storage where the pixels are kept
   */
  public record Options(int maxPerClass, long seed, int size, Resize.Filter filter, PixelStorage storage) {
    /** All images as they are. */
    public static final Options ALL = new Options(0, 0, 0, Resize.Filter.BILINEAR_AA);

    /** Checks the numbers. */
    public Options {
      if (maxPerClass < 0) {
        throw new InvalidInputException("at most " + maxPerClass + " images per class, expected 0 or more");
      }
      new RealData.Options(RealData.Split.TRAIN, size, filter, storage); // for its check of the size
    }

    /** Pixels are kept as {@link PixelStorage#standard} says. */
    public Options(int maxPerClass, long seed, int size, Resize.Filter filter) {
      this(maxPerClass, seed, size, filter, PixelStorage.standard());
    }

    RealData.Options ofReal() {
      return new RealData.Options(RealData.Split.TRAIN, size, filter, storage);
    }
  }

  /** Copies the lists. */
  public TrainingSet {
    sources = List.copyOf(sources);
    leftOut = Collections.unmodifiableMap(new LinkedHashMap<>(leftOut));
  }

  /**
   * Reads the sets. Of real sets that have a training part this part is taken.
   *
   * @param specs each {@code [KIND:]PATH[@train|@test][@SHARE]}: KIND is {@code store}, {@code idx}, {@code cifar10}, {@code
   *     cifar100}, {@code folder} or {@code webdataset}, by default as the files look; SHARE is a fraction such as {@code 0.5} or a
   *     number of images, evenly over the classes
   * @throws InvalidInputException in one line, if a set is missing, damaged or unfinished, or if two do not have the same classes or
   *     size, naming both
   */
  public static TrainingSet load(List<String> specs, Options options) {
    if (specs.isEmpty()) {
      throw new InvalidInputException("no data to train on");
    }
    var sources = new ArrayList<TrainingSource>();
    var chosen = new ArrayList<int[]>();
    var seen = new HashSet<String>();
    for (DataSpec spec : specs.stream().map(DataSpec::parse).toList()) {
      TrainingSource source = TrainingSource.open(spec, options, sources);
      sources.add(source);
      int[] share = share(source, options.seed());
      chosen.add(IntStream.of(share).filter(i -> source.isNew(i, seen)).toArray());
    }
    if (options.maxPerClass() > 0) {
      limit(sources, chosen, options);
    }
    return read(sources, chosen, options);
  }

  /** What the set's own share leaves of it. */
  private static int[] share(TrainingSource source, long seed) {
    if (!source.spec.isPartial()) {
      return IntStream.range(0, source.labels.length).toArray();
    }
    List<List<Integer>> members = EvenDraw.byClass(source.labels, source.classNames.size());
    int[] available = EvenDraw.sizes(members);
    int[] budget;
    if (source.spec.share().isPresent()) {
      double share = source.spec.share().getAsDouble();
      budget = IntStream.of(available).map(n -> (int) Math.round(share * n)).toArray();
    } else {
      int count = source.spec.count().getAsInt();
      if (count > source.labels.length) {
        throw new InvalidInputException(
            "%s: it has %,d images, asked for are %,d".formatted(source.spec.text(), source.labels.length, count));
      }
      budget = EvenDraw.shares(count, available, 0);
    }
    return drawn(source, members, budget, seed);
  }

  private static int[] drawn(TrainingSource source, List<List<Integer>> members, int[] budget, long seed) {
    var drawn = new ArrayList<List<Integer>>();
    List<int[]> groups = source.groups();
    for (int c = 0; c < budget.length; c++) {
      drawn.add(EvenDraw.draw(members.get(c), groups, budget[c], c, seed));
    }
    return EvenDraw.all(drawn);
  }

  /** Leaves at most so many of each class, evenly over the sources. */
  private static void limit(List<TrainingSource> sources, List<int[]> chosen, Options options) {
    int classes = sources.getFirst().classNames.size();
    var members = new ArrayList<List<List<Integer>>>();
    for (int s = 0; s < sources.size(); s++) {
      var ofSource = EvenDraw.byClass(new int[0], classes);
      for (int i : chosen.get(s)) {
        ofSource.get(sources.get(s).labels[i]).add(i);
      }
      members.add(ofSource);
    }
    var budgets = new int[sources.size()][classes];
    for (int c = 0; c < classes; c++) {
      int label = c;
      int[] available = members.stream().mapToInt(ofSource -> ofSource.get(label).size()).toArray();
      int[] shares = EvenDraw.shares(options.maxPerClass(), available, label % sources.size());
      for (int s = 0; s < shares.length; s++) {
        budgets[s][c] = shares[s];
      }
    }
    for (int s = 0; s < sources.size(); s++) {
      chosen.set(s, drawn(sources.get(s), members.get(s), budgets[s], options.seed()));
    }
  }

  private static TrainingSet read(List<TrainingSource> sources, List<int[]> chosen, Options options) {
    var sets = new ArrayList<ImageSet>();
    var report = new ArrayList<Source>();
    var leftOut = new LinkedHashMap<String, String>();
    for (int s = 0; s < sources.size(); s++) {
      TrainingSource source = sources.get(s);
      source.leftOut().forEach(leftOut::putIfAbsent);
      report.add(source.report(chosen.get(s)));
      if (chosen.get(s).length == 0) {
        continue; // all of it lies in the stores before, or it has none
      }
      ImageSet set = source.read(chosen.get(s));
      if (options.size() > 0) {
        set = set.resized(options.size(), options.size(), options.filter()).insteadOf(set);
      }
      if (!sets.isEmpty()) {
        requireSize(sets.getFirst(), set);
      }
      sets.add(set);
    }
    if (sets.isEmpty()) {
      throw noImages(sources, leftOut.size());
    }
    String name = sets.stream().map(ImageSet::name).collect(Collectors.joining(", "));
    Optional<Resize.Filter> resize = options.size() > 0 ? Optional.of(options.filter()) : Optional.empty();
    ImageSet whole = ImageSet.concat(name, sets);
    sets.forEach(whole::insteadOf);
    return new TrainingSet(whole, report, resize, counts(sources.getFirst().classNames, leftOut));
  }

  private static InvalidInputException noImages(List<TrainingSource> sources, int leftOut) {
    String names = sources.stream().map(source -> source.spec.text()).collect(Collectors.joining(", "));
    String reason = leftOut == 0 ? "" : ": the safety checker had all %,d left out".formatted(leftOut);
    return new InvalidInputException("%s has no images%s".formatted(names, reason));
  }

  private static void requireSize(ImageSet first, ImageSet other) {
    if (first.height() != other.height() || first.width() != other.width()) {
      throw new InvalidInputException(
          "%s has pictures of %dx%d pixels, %s of %dx%d; give a size to resize all to"
              .formatted(first.name(), first.width(), first.height(), other.name(), other.width(), other.height()));
    }
  }

  /** How many of each class, in label order; {@code leftOut} has the class of each key. */
  private static Map<String, Integer> counts(List<String> names, Map<String, String> leftOut) {
    var counts = new LinkedHashMap<String, Integer>();
    for (String name : names) {
      int count = Collections.frequency(leftOut.values(), name);
      if (count > 0) {
        counts.put(name, count);
      }
    }
    return counts;
  }
}
