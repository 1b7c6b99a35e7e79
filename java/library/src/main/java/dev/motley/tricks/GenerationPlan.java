// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.InvalidInputException;
import dev.motley.config.Names;
import dev.motley.config.Tree;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Every image of a synthetic dataset, in the order it is drawn: pure, deterministic, and computed
 * where it is asked for, so a plan of a million images costs nothing to hold.
 *
 * <p>The order is balanced: in every prefix the counts of any two classes differ by at most 1,
 * those of tricks follow their shares as closely, and multi-domain cycles through its domains. So
 * any prefix is a usable dataset, any consecutive shard too, and a plan with more images per class
 * (all tricks scaled alike) begins with the smaller plan's images.
 *
 * <p>A plan may be a selection from a whole one: {@link #range}, {@link #shard}, {@link #only},
 * {@link #minus}. {@link #hash} tells selections apart.
 *
 * <p>Immutable and safe for use by several threads.
 */
public final class GenerationPlan {

  /**
   * The version of this format and of the order; raised when the same spec would give other images.
   */
  static final int VERSION = 1;

  private static final String FORMAT = "motley-plan";

  private final PlanSpec spec;
  private final TrickSchedule schedule;
  private final Selection selection;
  private final List<Step> steps;

  /** One step by which a selection was made, for the record and for {@link #fromJson}. */
  private sealed interface Step {
    record Range(int from, int to) implements Step {}

    record Minus(GenerationPlan other) implements Step {}
  }

  private GenerationPlan(
      PlanSpec spec, TrickSchedule schedule, Selection selection, List<Step> steps) {
    this.spec = spec;
    this.schedule = schedule;
    this.selection = selection;
    this.steps = List.copyOf(steps);
  }

  /**
   * The whole plan of a spec.
   *
   * @param spec what to draw
   * @return the plan
   * @throws InvalidInputException if it has more than 2^31 - 1 images
   */
  public static GenerationPlan of(PlanSpec spec) {
    var schedule = new TrickSchedule(spec.classes().size(), spec.mix());
    return new GenerationPlan(spec, schedule, new Selection.Run(0, schedule.size()), List.of());
  }

  /**
   * Returns the spec of the whole plan.
   *
   * @return the spec
   */
  public PlanSpec spec() {
    return spec;
  }

  /**
   * Returns the number of images.
   *
   * @return 0 only for a selection that has none
   */
  public int size() {
    return selection.size();
  }

  /**
   * Computes one image, in constant time.
   *
   * @param index from 0 to {@link #size} - 1; equals the image's position in a whole plan
   * @return the image
   */
  public PlannedImage image(int index) {
    int position = selection.position(Objects.checkIndex(index, size()));
    TrickSchedule.Entry entry = schedule.at(position);
    ClassName name = spec.classes().classes().get(entry.classIndex());
    int domainIndex = domain(entry);
    String domain = domainIndex < 0 ? "" : spec.prompts().domains().get(domainIndex);
    PlanSpec.Sampling sampling = spec.sampling();
    int row = domainIndex < 0 ? entry.ordinal() : entry.ordinal() / spec.prompts().domains().size();
    boolean own = sampling.noise() == NoiseSharing.NONE;
    return new PlannedImage(
        position,
        ImageKey.of(entry),
        entry.ordinal(),
        entry.classIndex(),
        name.prompt(),
        name.folder(),
        entry.trick(),
        domain,
        spec.prompts().prompt(entry.trick(), name, domain),
        spec.prompts().negative(),
        spec.guidance().scale(entry.trick(), sampling.seed(), ImageKey.number(entry)),
        sampling.source() == NoiseSource.PHILOX
            ? sampling.seed()
            : torchSeed(own ? dense(entry) : row),
        own ? ImageKey.number(entry) : row,
        spec.width(),
        spec.height());
  }

  /**
   * The domain of a multi-domain image, or -1. With C classes and D domains, image number {@code u
   * = ordinal C + class} has domain {@code (u + u / lcm(C, D)) mod D}: each class meets every
   * domain equally often, and so does every prefix of a multi-domain set.
   */
  private int domain(TrickSchedule.Entry entry) {
    if (entry.trick() != Trick.MULTI_DOMAIN) {
      return -1;
    }
    int classes = spec.classes().size();
    int domains = spec.prompts().domains().size();
    long number = (long) entry.ordinal() * classes + entry.classIndex();
    return (int) ((number + number / TrickSchedule.lcm(classes, domains)) % domains);
  }

  /** torch's generator takes 32 bits of seed; consecutive numbers give each image its own. */
  private long torchSeed(long number) {
    return (spec.sampling().seed() + number) & 0xffffffffL;
  }

  private long dense(TrickSchedule.Entry entry) {
    long number = (long) entry.ordinal() * spec.classes().size() + entry.classIndex();
    return number * Trick.values().length + entry.trick().ordinal();
  }

  /**
   * The same image drawn again with the next seed, for one that failed a quality check.
   *
   * @param image an image of this plan
   * @param attempt 1 for the first repetition; at most 15
   * @return the image with another seed, all else alike
   */
  public PlannedImage retry(PlannedImage image, int attempt) {
    Objects.checkIndex(attempt, 16);
    return spec.sampling().source() == NoiseSource.PHILOX
        ? image.withSeed(image.seed() + attempt)
        : image.withSeed((image.seed() + ((long) attempt << 28)) & 0xffffffffL);
  }

  /**
   * Finds an image by its key.
   *
   * @param key for example {@code base-class-003-000017}
   * @return its index in this plan, or empty if this plan has it not
   */
  public OptionalInt find(String key) {
    int position = ImageKey.parse(key).map(schedule::find).orElse(-1);
    int index = position < 0 ? -1 : selection.indexOf(position);
    return index < 0 ? OptionalInt.empty() : OptionalInt.of(index);
  }

  /**
   * Lists all images in order.
   *
   * @return a lazy stream
   */
  public Stream<PlannedImage> images() {
    return IntStream.range(0, size()).mapToObj(this::image);
  }

  /**
   * A part of this plan.
   *
   * @param from the first index
   * @param to the index after the last
   * @return the images of that range
   * @throws InvalidInputException if the range is not within this plan
   */
  public GenerationPlan range(int from, int to) {
    if (from < 0 || to < from || to > size()) {
      throw new InvalidInputException(
          "range %d to %d is not within the plan's %d images".formatted(from, to, size()));
    }
    if (from == 0 && to == size()) {
      return this;
    }
    return select(selection.range(from, to), new Step.Range(from, to));
  }

  /**
   * One of several nearly equal parts, each balanced like the whole.
   *
   * @param index which, from 0
   * @param count of how many
   * @return the part
   * @throws InvalidInputException unless 0 &lt;= index &lt; count
   */
  public GenerationPlan shard(int index, int count) {
    if (count < 1 || index < 0 || index >= count) {
      throw new InvalidInputException(
          "shard %d of %d: expected an index from 0 to count - 1".formatted(index, count));
    }
    return range(
        (int) ((long) size() * index / count), (int) ((long) size() * (index + 1) / count));
  }

  /**
   * One image alone.
   *
   * @param key its key
   * @return a plan of that image
   * @throws InvalidInputException if this plan has it not
   */
  public GenerationPlan only(String key) {
    int index =
        find(key)
            .orElseThrow(
                () ->
                    new InvalidInputException(
                        "the plan has no image '%s'; its first is '%s'"
                            .formatted(Names.printable(key), size() == 0 ? "" : image(0).key())));
    return range(index, index + 1);
  }

  /**
   * The images of this plan that another does not have.
   *
   * @param other a plan whose images are at hand
   * @return what remains to be drawn, in this plan's order
   */
  public GenerationPlan minus(GenerationPlan other) {
    BitSet reusable = reusableFrom(other);
    int[] rest =
        IntStream.range(0, size()).filter(i -> !reusable.get(i)).map(selection::position).toArray();
    return select(new Selection.Listed(rest), new Step.Minus(other));
  }

  private GenerationPlan select(Selection selected, Step step) {
    var added = new ArrayList<>(steps);
    if (step instanceof Step.Range(int from, int to)
        && !added.isEmpty()
        && added.getLast() instanceof Step.Range(int start, int end)) {
      added.removeLast();
      added.add(new Step.Range(start + from, start + to));
    } else {
      added.add(step);
    }
    return new GenerationPlan(spec, schedule, selected, added);
  }

  /**
   * Says which images another plan has exactly alike: same key, prompts, guidance, noise, size and
   * sampler.
   *
   * @param other the other plan
   * @return the indices, in this plan, of the images that are also in the other
   */
  public BitSet reusableFrom(GenerationPlan other) {
    var reusable = new BitSet(size());
    PlanSpec.Sampling mine = spec.sampling();
    PlanSpec.Sampling theirs = other.spec.sampling();
    if (mine.steps() != theirs.steps()
        || mine.eta() != theirs.eta()
        || mine.source() != theirs.source()
        || spec.rounding() != other.spec.rounding()) {
      return reusable;
    }
    for (int i = 0; i < size(); i++) {
      PlannedImage image = image(i);
      OptionalInt there = other.find(image.key());
      if (there.isPresent() && other.image(there.getAsInt()).at(image.position()).equals(image)) {
        reusable.set(i);
      }
    }
    return reusable;
  }

  /**
   * The canonical form: JSON without spaces, keys sorted, every default spelled out.
   *
   * @return what {@link #fromJson} reads back
   */
  public String toJson() {
    return PlanJson.write(toTree());
  }

  /**
   * Says in what another plan differs, for a message.
   *
   * @param asked the other plan
   * @return the first key of the canonical form that differs, such as {@code spec.sampling.seed is 0, asked for is 1}; empty for
   *     an equal plan
   */
  public Optional<String> difference(GenerationPlan asked) {
    return PlanJson.difference(toTree(), asked.toTree());
  }

  private Map<String, Object> toTree() {
    var tree = new LinkedHashMap<String, Object>();
    tree.put(FORMAT, VERSION);
    tree.put("spec", spec.toTree());
    if (!steps.isEmpty()) {
      tree.put(
          "select",
          steps.stream()
              .map(
                  step ->
                      switch (step) {
                        case Step.Range r -> Map.of("range", List.of(r.from, r.to));
                        case Step.Minus m -> Map.of("minus", m.other.toTree());
                      })
              .toList());
    }
    return tree;
  }

  /**
   * Reads a plan back.
   *
   * @param json what {@link #toJson} wrote
   * @return an equal plan
   * @throws InvalidInputException if it is no plan, or one of another version
   */
  public static GenerationPlan fromJson(String json) {
    return fromTree("plan", PlanJson.read(json));
  }

  private static GenerationPlan fromTree(String path, Object value) {
    Tree tree = Tree.of(path, value, List.of(FORMAT, "spec", "select"));
    long version =
        tree.whole(FORMAT)
            .orElseThrow(() -> new InvalidInputException("'" + path + "' is not a Motley plan"));
    if (version != VERSION) {
      throw new InvalidInputException(
          "the plan has version %d: this Motley reads version %d".formatted(version, VERSION));
    }
    Object spec =
        tree.value("spec").orElseThrow(() -> Tree.wrong(path, "a plan with 'spec'", value));
    if (!(spec instanceof Map<?, ?> map)) {
      throw Tree.wrong(tree.path("spec"), "a map", spec);
    }
    var keyed = new LinkedHashMap<String, Object>();
    map.forEach((k, v) -> keyed.put(String.valueOf(k), v));
    GenerationPlan plan = of(PlanSpec.fromTree(keyed));
    for (Object step : Tree.items("select", tree.value("select").orElse(List.of()))) {
      Tree one = Tree.of("select", step, List.of("range", "minus"));
      Optional<Object> minus = one.value("minus");
      plan =
          minus.isPresent()
              ? plan.minus(fromTree("select.minus", minus.get()))
              : plan.selectRange(one);
    }
    return plan;
  }

  private GenerationPlan selectRange(Tree step) {
    List<Object> ends = step.value("range").map(v -> Tree.items("range", v)).orElse(List.of());
    if (ends.size() == 2 && ends.get(0) instanceof Integer a && ends.get(1) instanceof Integer b) {
      return range(a, b);
    }
    throw Tree.wrong("select.range", "two whole numbers", ends);
  }

  /**
   * The plan's identity: SHA-256 of {@link #toJson} in UTF-8.
   *
   * @return 64 hexadecimal digits
   */
  public String hash() {
    return PlanJson.sha256(toJson());
  }

  /**
   * Counts what the plan holds; goes through all of its images.
   *
   * @return the counts
   */
  public PlanSummary summary() {
    return PlanSummary.of(this);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof GenerationPlan plan && toJson().equals(plan.toJson());
  }

  @Override
  public int hashCode() {
    return toJson().hashCode();
  }

  @Override
  public String toString() {
    return "GenerationPlan[" + size() + " images of " + spec.classes().name() + "]";
  }
}
