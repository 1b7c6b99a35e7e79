// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What a plan holds and costs, before anything runs.
 *
 * @param plan the plan
 * @param perTrick images by trick
 * @param perClass images by class index
 * @param perDomain images by domain, of multi-domain alone
 * @param distinctPrompts prompts to encode, the negative prompt not counted
 * @param singlePass images at guidance exactly 1, which skip the unconditional half
 * @param unetEvaluations UNet evaluations of one image each: steps times 2, or times 1 at guidance
 *     1
 */
public record PlanSummary(
    GenerationPlan plan,
    Map<Trick, Integer> perTrick,
    List<Integer> perClass,
    Map<String, Integer> perDomain,
    int distinctPrompts,
    int singlePass,
    long unetEvaluations) {

  /** A natural image's PNG against its raw bytes: about 0.75 at 32x32 (CIFAR), less when larger. */
  private static final double PNG_SHARE = 0.75;

  /** Two tar headers, the metadata padded to 1,024 bytes, the PNG's own frame, texts and padding. */
  private static final int BYTES_PER_IMAGE = 2 * 512 + 1024 + 1024;

  static PlanSummary of(GenerationPlan plan) {
    var perTrick = new EnumMap<Trick, Integer>(Trick.class);
    var perClass = new int[plan.spec().classes().size()];
    Map<String, Integer> perDomain = new LinkedHashMap<>();
    Set<String> prompts = new HashSet<>();
    int singlePass = 0;
    for (int i = 0; i < plan.size(); i++) {
      PlannedImage image = plan.image(i);
      perTrick.merge(image.trick(), 1, Integer::sum);
      perClass[image.classIndex()]++;
      if (!image.domain().isEmpty()) {
        perDomain.merge(image.domain(), 1, Integer::sum);
      }
      prompts.add(image.prompt());
      singlePass += image.guidance() == 1 ? 1 : 0;
    }
    long evaluations = plan.spec().sampling().steps() * (2L * plan.size() - singlePass);
    return new PlanSummary(
        plan,
        Collections.unmodifiableMap(perTrick),
        IntStream.of(perClass).boxed().toList(),
        Collections.unmodifiableMap(perDomain),
        prompts.size(),
        singlePass,
        evaluations);
  }

  /**
   * Estimates the time to draw the plan.
   *
   * @param imagesPerSecond the measured rate of guided images in {@link PlanSpec#PAPER_STEPS} steps of two evaluations
   * @return the time
   */
  public Duration estimatedTime(double imagesPerSecond) {
    double guided = unetEvaluations / (2.0 * PlanSpec.PAPER_STEPS); // of so many steps each
    return Duration.ofMillis(Math.round(1000 * guided / imagesPerSecond));
  }

  /**
   * Estimates the size of the finished store.
   *
   * @param storedWidth width of the stored images, in pixels
   * @param storedHeight height of the stored images, in pixels
   * @return bytes
   */
  public long estimatedBytes(int storedWidth, int storedHeight) {
    long raw = 3L * storedWidth * storedHeight;
    return plan.size() * (Math.round(PNG_SHARE * raw) + BYTES_PER_IMAGE);
  }

  /**
   * The counts as text of several lines.
   *
   * @return what {@code plan} prints
   */
  public String text() {
    PlanSpec spec = plan.spec();
    PlanSpec.Sampling sampling = spec.sampling();
    var out = new StringBuilder();
    line(out, "plan", "%s", plan.hash());
    line(
        out,
        "classes",
        "%d of %s, %s images each%s",
        spec.classes().size(),
        spec.classes().name().equals(ClassList.UNNAMED) ? "your own" : spec.classes().name(),
        span(perClass),
        ofEachTrick(spec.mix().imagesPerClass().values()));
    line(out, "images", "%,d at %dx%d", plan.size(), spec.width(), spec.height());
    perTrick.forEach(
        (trick, n) ->
            line(
                out,
                "  " + trick.id(),
                "%,d, %s, \"%s\"",
                n,
                guidance(trick, spec.guidance()),
                spec.prompts().templates().get(trick).text()));
    if (!perDomain.isEmpty()) {
      line(
          out,
          "domains",
          "%d, %s images each",
          perDomain.size(),
          span(List.copyOf(perDomain.values())));
    }
    line(
        out,
        "prompts",
        "%,d distinct, negative \"%s\"",
        distinctPrompts,
        spec.prompts().negative());
    line(
        out,
        "preset",
        "%s, seed %d, noise %s (%s), pixels %s",
        spec.fidelity().id(),
        sampling.seed(),
        sampling.source().id(),
        sampling.noise() == NoiseSharing.NONE ? "another for each image" : "shared by rows",
        spec.rounding().id());
    line(
        out,
        "unet",
        "%,d evaluations (%d steps of 2%s)",
        unetEvaluations,
        sampling.steps(),
        singlePass == 0 ? "" : String.format(Locale.ROOT, "; of 1 for %,d images at guidance 1", singlePass));
    return out.toString();
  }

  /**
   * The counts, and what the plan will cost.
   *
   * @param imagesPerSecond the rate, as above; empty where there is none
   * @param storedWidth width of the stored images, in pixels
   * @param storedHeight height of the stored images, in pixels
   * @return {@link #text} with two lines more
   */
  public String text(OptionalDouble imagesPerSecond, int storedWidth, int storedHeight) {
    var out = new StringBuilder(text());
    line(out, "time", "%s", imagesPerSecond.isPresent() ? timeText(imagesPerSecond.getAsDouble()) : "unknown");
    line(
        out,
        "disk",
        "about %,d bytes as PNG of %dx%d",
        estimatedBytes(storedWidth, storedHeight),
        storedWidth,
        storedHeight);
    return out.toString();
  }

  /** How the images of a class divide over several tricks, where evenly. */
  private static String ofEachTrick(Collection<Integer> counts) {
    boolean even = Set.copyOf(counts).size() == 1;
    return counts.size() > 1 && even
        ? String.format(Locale.ROOT, " (%,d from each of %d tricks)", counts.iterator().next(), counts.size())
        : "";
  }

  private String timeText(double imagesPerSecond) {
    Duration time = estimatedTime(imagesPerSecond);
    return String.format(
        Locale.ROOT,
        "about %,d s (%d h %02d min) at %s images of %d steps per second",
        Math.max(1, time.toSeconds()),
        time.toHours(),
        time.toMinutesPart(),
        String.format(Locale.ROOT, imagesPerSecond < 1 ? "%.4f" : "%.1f", imagesPerSecond),
        PlanSpec.PAPER_STEPS);
  }

  private static void line(StringBuilder out, String name, String format, Object... values) {
    out.append(String.format(Locale.ROOT, "%-18s ", name))
        .append(String.format(Locale.ROOT, format, values))
        .append('\n');
  }

  private static String guidance(Trick trick, GuidanceRule rule) {
    return trick == Trick.RANDOM_GUIDANCE
        ? "guidance %s to %s, %s".formatted(rule.low(), rule.high(), rule.draw().id())
        : "guidance " + rule.fixed();
  }

  private static String span(List<Integer> counts) {
    if (counts.isEmpty()) {
      return "0";
    }
    int low = Collections.min(counts);
    int high = Collections.max(counts);
    return low == high
        ? String.format(Locale.ROOT, "%,d", low)
        : String.format(Locale.ROOT, "%,d to %,d", low, high);
  }
}
