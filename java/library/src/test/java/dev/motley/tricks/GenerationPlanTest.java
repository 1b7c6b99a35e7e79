// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.motley.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GenerationPlanTest {

  private static final List<Trick> ALL = List.of(Trick.values());

  /**
   * Sixty mixes, classes and domains, drawn at random but always the same, and the awkward ones.
   */
  static List<PlanSpec> specs() {
    var random = new Random(7);
    var specs = new ArrayList<PlanSpec>();
    for (int i = 0; i < 60; i++) {
      var counts = new EnumMap<Trick, Integer>(Trick.class);
      for (Trick trick : Trick.values()) {
        counts.put(trick, random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(13));
      }
      counts.merge(ALL.get(random.nextInt(4)), 1, Integer::sum);
      specs.add(spec(1 + random.nextInt(24), 1 + random.nextInt(11), new TrickMix(counts)));
    }
    specs.add(spec(1, 1, TrickMix.only(Trick.MULTI_DOMAIN, 1)));
    specs.add(spec(10, 10, TrickMix.union(ALL, 25)));
    specs.add(spec(100, 10, TrickMix.equalBudget(ALL, 10)));
    specs.add(spec(4, 4, TrickMix.union(ALL, 16)));
    specs.add(spec(3, 5, new TrickMix(Map.of(Trick.BASE_CLASS, 97, Trick.MULTI_DOMAIN, 1))));
    return specs;
  }

  private static PlanSpec spec(int classes, int domains, TrickMix mix) {
    List<String> names = IntStream.range(0, classes).mapToObj(i -> "class " + i).toList();
    List<String> styles = IntStream.range(0, domains).mapToObj(i -> "style " + i).toList();
    return PlanSpec.of(ClassList.of("own", names), Fidelity.PAPER)
        .with(PromptStyle.objects().with(styles))
        .with(mix);
  }

  private static PlanSpec cifar(TrickMix mix) {
    return PlanSpec.of(DatasetPreset.named("cifar10"), Fidelity.PAPER).with(mix);
  }

  @ParameterizedTest
  @MethodSource("specs")
  void everyPrefixIsBalanced(PlanSpec spec) {
    GenerationPlan plan = GenerationPlan.of(spec);
    Map<Trick, Integer> shares = spec.mix().imagesPerClass();
    var perClass = new int[spec.classes().size()];
    var perTrick = new EnumMap<Trick, Integer>(Trick.class);
    for (int i = 0; i < plan.size(); i++) {
      PlannedImage image = plan.image(i);
      perClass[image.classIndex()]++;
      perTrick.merge(image.trick(), 1, Integer::sum);
      assertThat(spread(perClass)).isLessThanOrEqualTo(1);
      for (Trick trick : shares.keySet()) {
        double due = (i + 1.0) * shares.get(trick) / spec.mix().totalPerClass();
        // Within 1 in the word; a word cut off at the end of a block adds less than another.
        assertThat((double) perTrick.getOrDefault(trick, 0)).isCloseTo(due, within(1.99));
      }
    }
    var counted = new HashMap<String, Integer>();
    plan.images().forEach(p -> counted.merge(p.classIndex() + p.trick().id(), 1, Integer::sum));
    for (int c = 0; c < perClass.length; c++) {
      for (Trick trick : shares.keySet()) {
        assertThat(counted.get(c + trick.id())).isEqualTo(shares.get(trick));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("specs")
  void keysAndNoiseAreUniqueAndFindTheirImage(PlanSpec spec) {
    GenerationPlan plan = GenerationPlan.of(spec);
    Set<String> keys = new HashSet<>();
    Set<Long> noise = new HashSet<>();
    for (int i = 0; i < plan.size(); i++) {
      PlannedImage image = plan.image(i);
      assertThat(image.position()).isEqualTo(i);
      assertThat(keys.add(image.key())).isTrue();
      assertThat(noise.add(image.noiseKey())).isTrue();
      assertThat(image.noiseKey()).isBetween(0L, 1L << 53);
      assertThat(plan.find(image.key())).hasValue(i);
    }
    assertThat(plan.find("base-class-000-009999")).isEmpty();
    assertThat(plan.find("base-class-0-0")).isEmpty();
    assertThat(plan.find("nonsense")).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("specs")
  void tricksOfEqualShareAreAsEvenAsClasses(PlanSpec spec) {
    var equal = new EnumMap<>(spec.mix().imagesPerClass());
    equal.replaceAll((trick, n) -> 6);
    GenerationPlan plan = GenerationPlan.of(spec.with(new TrickMix(equal)));
    var pairs = new HashMap<String, Integer>();
    var perTrick = new int[4];
    List<Integer> used = equal.keySet().stream().map(Enum::ordinal).toList();
    for (int i = 0; i < plan.size(); i++) {
      PlannedImage image = plan.image(i);
      perTrick[image.trick().ordinal()]++;
      assertThat(spread(used.stream().mapToInt(t -> perTrick[t]).toArray())).isLessThanOrEqualTo(1);
      pairs.merge(image.classIndex() + image.trick().id(), 1, Integer::sum);
      int rounds = i / (spec.classes().size() * used.size());
      assertThat(pairs.get(image.classIndex() + image.trick().id())).isBetween(rounds, rounds + 1);
    }
  }

  @ParameterizedTest
  @MethodSource("specs")
  void aMultiDomainSetCyclesThroughItsDomains(PlanSpec spec) {
    List<String> domains = spec.prompts().domains();
    GenerationPlan plan =
        GenerationPlan.of(spec.with(TrickMix.only(Trick.MULTI_DOMAIN, 2 * domains.size())));
    var perDomain = new int[domains.size()];
    var pairs = new HashMap<String, Integer>();
    for (int i = 0; i < plan.size(); i++) {
      PlannedImage image = plan.image(i);
      perDomain[domains.indexOf(image.domain())]++;
      assertThat(spread(perDomain)).isLessThanOrEqualTo(1);
      pairs.merge(image.classIndex() + image.domain(), 1, Integer::sum);
    }
    assertThat(pairs).hasSize(spec.classes().size() * domains.size());
    assertThat(pairs.values()).containsOnly(2);
  }

  private static int spread(int[] counts) {
    return IntStream.of(counts).max().orElse(0) - IntStream.of(counts).min().orElse(0);
  }

  @ParameterizedTest
  @MethodSource("specs")
  void jsonReadsBackToTheSamePlan(PlanSpec spec) {
    GenerationPlan plan = GenerationPlan.of(spec);
    GenerationPlan back = GenerationPlan.fromJson(plan.toJson());
    assertThat(back.toJson()).isEqualTo(plan.toJson());
    assertThat(back.hash()).isEqualTo(plan.hash());
    assertThat(back.images().toList()).isEqualTo(plan.images().toList());
  }

  /** A digest over every image: if it changes, VERSION must be raised. */
  @Test
  void theOrderAndTheDrawsArePinned() {
    GenerationPlan plan =
        GenerationPlan.of(
            PlanSpec.of(DatasetPreset.named("fashion-mnist"), Fidelity.PAPER)
                .with(TrickMix.union(ALL, 25)));
    String listing =
        plan.images().map(i -> i.metadata().toString()).collect(Collectors.joining("\n"));
    assertThat(GenerationPlan.VERSION).isEqualTo(1);
    assertThat(PlanJson.sha256(listing))
        .isEqualTo("58988ff7eae21a4341e99012411ac72c27018f3d75694dc4d974ecd7d101372f");
    assertThat(plan.hash())
        .isEqualTo("e1fff87ad3b63fed5b5b60220c21d9c134b164c4297a78c48cdcfbb583bb61e2");
  }

  @Test
  void everyPartOfASpecChangesTheHash() {
    PlanSpec spec = cifar(TrickMix.union(ALL, 2));
    var hashes = new HashSet<String>();
    List<PlanSpec> different =
        List.of(
            spec,
            spec.withSeed(1),
            spec.withSteps(20),
            spec.withSize(256, 512),
            spec.with(PixelRounding.TRUNCATE),
            spec.with(TrickMix.union(ALL, 3)),
            spec.with(spec.prompts().withNegative("text")),
            spec.with(spec.prompts().with(Articles.BY_SOUND)),
            spec.with(spec.prompts().with(List.of("photo"))),
            spec.with(new GuidanceRule(7.5f, 1, 4, GuidanceDraw.REAL_PER_IMAGE)),
            PlanSpec.of(DatasetPreset.named("cifar10"), Fidelity.REPO));
    different.forEach(s -> hashes.add(GenerationPlan.of(s).hash()));
    hashes.add(GenerationPlan.of(spec).range(0, 5).hash());
    assertThat(hashes).hasSize(different.size() + 1);
  }

  @Test
  void aLargerPlanBeginsWithTheSmaller() {
    GenerationPlan small = GenerationPlan.of(cifar(TrickMix.union(ALL, 3)));
    GenerationPlan large = GenerationPlan.of(cifar(TrickMix.union(ALL, 7)));
    assertThat(large.range(0, small.size()).images().toList()).isEqualTo(small.images().toList());
  }

  @Test
  void shardsArePartsOfTheWhole() {
    GenerationPlan plan = GenerationPlan.of(spec(7, 3, TrickMix.union(ALL, 5)));
    var joined = new ArrayList<PlannedImage>();
    for (int i = 0; i < 6; i++) {
      GenerationPlan shard = plan.shard(i, 6);
      shard.images().forEach(joined::add);
      var perClass = new int[7];
      shard.images().forEach(p -> perClass[p.classIndex()]++);
      assertThat(spread(perClass)).isLessThanOrEqualTo(1);
      assertThat(GenerationPlan.fromJson(shard.toJson()).images().toList())
          .isEqualTo(shard.images().toList());
      assertThat(shard.find(shard.image(3).key())).hasValue(3);
    }
    assertThat(joined).isEqualTo(plan.images().toList());
    assertThat(plan.shard(1, 6).find(plan.image(0).key())).isEmpty();
    assertThat(plan.range(10, 30).range(5, 9)).isEqualTo(plan.range(15, 19));
    assertThatThrownBy(() -> plan.shard(6, 6)).hasMessageContaining("shard 6 of 6");
    assertThatThrownBy(() -> plan.range(0, 999)).hasMessageContaining("140 images");
  }

  @Test
  void oneImageAlone() {
    GenerationPlan plan = GenerationPlan.of(cifar(TrickMix.union(ALL, 5)));
    GenerationPlan one = plan.only("multi-domain-003-000004");
    assertThat(one.size()).isEqualTo(1);
    assertThat(one.image(0).prompt()).isEqualTo("a rock drawing of a cat");
    assertThat(plan.image(one.image(0).position())).isEqualTo(one.image(0));
    assertThatThrownBy(() -> plan.only("multi-domain-003-000005"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("no image 'multi-domain-003-000005'");
  }

  @Test
  void combinedPlansShareTheirBaseImages() {
    GenerationPlan base = GenerationPlan.of(cifar(TrickMix.only(Trick.BASE_CLASS, 100)));
    GenerationPlan mixed = GenerationPlan.of(cifar(TrickMix.equalBudget(ALL, 100)));
    assertThat(mixed.size()).isEqualTo(base.size());
    assertThat(mixed.reusableFrom(base).cardinality()).isEqualTo(250);
    GenerationPlan rest = mixed.minus(base);
    assertThat(rest.size()).isEqualTo(750);
    assertThat(rest.images()).noneMatch(i -> i.trick() == Trick.BASE_CLASS);
    assertThat(rest.find(rest.image(321).key())).hasValue(321);
    assertThat(GenerationPlan.fromJson(rest.toJson()).images().toList())
        .isEqualTo(rest.images().toList());
    assertThat(rest.shard(1, 3).size()).isEqualTo(250);
  }

  @Test
  void nothingIsReusedThatWouldLookDifferent() {
    PlanSpec spec = cifar(TrickMix.union(ALL, 2));
    GenerationPlan plan = GenerationPlan.of(spec);
    assertThat(plan.reusableFrom(plan).cardinality()).isEqualTo(80);
    for (PlanSpec other :
        List.of(
            spec.withSeed(1),
            spec.withSteps(20),
            spec.withSize(64, 64),
            spec.with(PixelRounding.TRUNCATE),
            spec.with(spec.prompts().withNegative("text")))) {
      assertThat(plan.reusableFrom(GenerationPlan.of(other)).cardinality()).isZero();
    }
    PlanSpec otherRange = spec.with(new GuidanceRule(7.5f, 1, 4, GuidanceDraw.REAL_PER_IMAGE));
    assertThat(plan.reusableFrom(GenerationPlan.of(otherRange)).cardinality()).isEqualTo(60);
  }

  @Test
  void randomGuidanceIsUniformAndIndependentOfTheMix() {
    GenerationPlan plan = GenerationPlan.of(cifar(TrickMix.only(Trick.RANDOM_GUIDANCE, 2000)));
    double[] drawn = plan.images().mapToDouble(PlannedImage::guidance).toArray();
    assertThat(Arrays.stream(drawn).allMatch(g -> g >= 1 && g <= 5)).isTrue();
    // The mean of 20,000 draws of U(1, 5): standard error 0.0082.
    assertThat(Arrays.stream(drawn).average().orElseThrow()).isCloseTo(3, within(0.04));
    for (int k = 0; k < 8; k++) {
      double low = 1 + k / 2.0;
      long inside = Arrays.stream(drawn).filter(g -> g >= low && g < low + 0.5).count();
      assertThat((double) inside).isCloseTo(2500, within(235.0)); // 5 standard deviations
    }
    GenerationPlan mixed = GenerationPlan.of(cifar(TrickMix.union(ALL, 3)));
    mixed
        .images()
        .filter(i -> i.trick() == Trick.RANDOM_GUIDANCE)
        .forEach(
            i ->
                assertThat(plan.image(plan.find(i.key()).getAsInt()).guidance())
                    .isEqualTo(i.guidance()));
    assertThat(mixed.images().filter(i -> i.trick() != Trick.RANDOM_GUIDANCE))
        .allMatch(i -> i.guidance() == 7.5f);
  }

  @Test
  void theRepoDrawsOneWholeScaleAndSharesNoiseByRows() {
    PlanSpec spec =
        PlanSpec.of(DatasetPreset.named("cifar10"), Fidelity.REPO).with(TrickMix.union(ALL, 20));
    GenerationPlan plan = GenerationPlan.of(spec);
    List<Float> scales =
        plan.images()
            .filter(i -> i.trick() == Trick.RANDOM_GUIDANCE)
            .map(PlannedImage::guidance)
            .distinct()
            .toList();
    assertThat(scales).hasSize(1);
    assertThat(scales.getFirst()).isIn(1f, 2f, 3f, 4f, 5f);
    Set<Float> overSeeds = new HashSet<>();
    for (int seed = 0; seed < 100; seed++) {
      overSeeds.add(spec.guidance().scale(Trick.RANDOM_GUIDANCE, seed, 1));
    }
    assertThat(overSeeds).containsExactlyInAnyOrder(1f, 2f, 3f, 4f, 5f);
    assertThat(spec.rounding()).isEqualTo(PixelRounding.TRUNCATE);
    assertThat(plan.images()).allMatch(i -> i.seed() == 64);
    // Row 1 of a class's multi-domain images: all ten domains on the same noise.
    List<PlannedImage> row =
        plan.images()
            .filter(i -> i.trick() == Trick.MULTI_DOMAIN && i.classIndex() == 4)
            .filter(i -> i.noiseKey() == 1)
            .toList();
    assertThat(row).extracting(PlannedImage::domain).doesNotHaveDuplicates().hasSize(10);
  }

  @Test
  void torchsGeneratorGetsASeedPerImage() {
    PlanSpec spec = cifar(TrickMix.union(ALL, 6));
    var sampling = new PlanSpec.Sampling(-3, NoiseSharing.NONE, NoiseSource.TORCH, 40, 0);
    GenerationPlan plan = GenerationPlan.of(spec.with(sampling));
    Set<Long> seeds = plan.images().map(PlannedImage::seed).collect(Collectors.toSet());
    assertThat(seeds).hasSize(plan.size()).allMatch(s -> s >= 0 && s < 1L << 32);
    assertThat(plan.retry(plan.image(5), 1).seed()).isNotIn(seeds);
  }

  @Test
  void aRetryHasTheNextSeedAndNothingElse() {
    GenerationPlan plan = GenerationPlan.of(cifar(TrickMix.union(ALL, 2)).withSeed(41));
    PlannedImage image = plan.image(11);
    assertThat(plan.retry(image, 1)).isEqualTo(image.withSeed(42));
    assertThat(plan.retry(image, 0)).isEqualTo(image);
  }

  @Test
  void aMillionImagesAreCheap() {
    GenerationPlan plan = GenerationPlan.of(cifar(TrickMix.union(ALL, 25_000)));
    assertThat(plan.size()).isEqualTo(1_000_000);
    PlannedImage last = plan.image(999_999);
    assertThat(last.ordinal()).isEqualTo(24_999);
    assertThat(plan.find(last.key())).hasValue(999_999);
    PlanSummary summary = plan.summary();
    assertThat(summary.perTrick().values()).containsOnly(250_000);
    assertThat(summary.perClass()).containsOnly(100_000);
    assertThat(summary.distinctPrompts()).isEqualTo(10 + 10 + 100);
    assertThat(summary.unetEvaluations()).isEqualTo(80_000_000L - 40L * summary.singlePass());
  }

  @Test
  void theSummaryCountsTheHalvesThatGuidanceOneSaves() {
    PlanSpec spec =
        cifar(TrickMix.only(Trick.RANDOM_GUIDANCE, 50))
            .with(new GuidanceRule(7.5f, 1, 5, GuidanceDraw.INTEGER_PER_IMAGE));
    PlanSummary summary = GenerationPlan.of(spec).summary();
    assertThat(summary.singlePass()).isBetween(60, 140);
    assertThat(summary.unetEvaluations()).isEqualTo(40L * (1000 - summary.singlePass()));
    assertThat(summary.estimatedTime(10).toMillis())
        .isEqualTo(Math.round(100.0 * (500 - summary.singlePass() / 2.0)));
    assertThat(summary.estimatedBytes(32, 32)).isEqualTo(500L * (2304 + 3072));
    assertThat(summary.text())
        .contains(GenerationPlan.of(spec).hash())
        .contains("10 of cifar10, 50 images each")
        .contains("(40 steps of 2; of 1 for %d images at guidance 1)".formatted(summary.singlePass()))
        .contains("random-guidance")
        .contains("guidance 1.0 to 5.0, integer-per-image, \"an image of a {class}\"");
    assertThat(summary.text(OptionalDouble.empty(), 32, 32)).containsPattern("(?m)^time +unknown$");
    assertThat(summary.text(OptionalDouble.of(0.01), 32, 32))
        .startsWith(summary.text())
        .contains("s (12 h ")
        .contains("at 0.0100 images of 40 steps per second")
        .contains("about 2,688,000 bytes as PNG of 32x32");
  }

  @Test
  void theSummarySaysWhatEachTrickHas() {
    PlanSummary combined = GenerationPlan.of(cifar(TrickMix.union(ALL, 25))).summary();
    assertThat(combined.text())
        .contains("10 of cifar10, 100 images each (25 from each of 4 tricks)\n")
        .contains("noise philox (another for each image)");
    assertThat(GenerationPlan.of(cifar(TrickMix.equalBudget(ALL, 25))).summary().text())
        .as("not evenly")
        .contains("10 of cifar10, 25 images each\n");
    PlanSpec own =
        PlanSpec.of(ClassList.of("own", List.of("cat", "dog")), Fidelity.PAPER).with(TrickMix.only(Trick.BASE_CLASS, 5));
    assertThat(GenerationPlan.of(own).summary().text())
        .contains("2 of your own, 5 images each\n")
        .contains("(40 steps of 2)\n");
  }

  @Test
  void thePapersBestMixes() {
    assertThat(DatasetPreset.named("cifar10").best().totalPerClass()).isEqualTo(20_000);
    assertThat(DatasetPreset.named("cifar100").best().imagesPerClass())
        .isEqualTo(
            Map.of(Trick.BASE_CLASS, 500, Trick.MULTI_DOMAIN, 500, Trick.RANDOM_GUIDANCE, 500));
    assertThat(DatasetPreset.named("eurosat").best().imagesPerClass())
        .isEqualTo(Map.of(Trick.RANDOM_GUIDANCE, 5400));
    assertThat(DatasetPreset.named("eurosat").combined()).doesNotContain(Trick.CLASS_PROMPT);
  }

  @Test
  void sharesAddUp() {
    assertThat(TrickMix.equalBudget(ALL, 10).imagesPerClass())
        .isEqualTo(
            Map.of(
                Trick.BASE_CLASS,
                3,
                Trick.CLASS_PROMPT,
                3,
                Trick.MULTI_DOMAIN,
                2,
                Trick.RANDOM_GUIDANCE,
                2));
    assertThat(
            TrickMix.shares(Map.of(Trick.BASE_CLASS, 1.0, Trick.RANDOM_GUIDANCE, 3.0), 10)
                .imagesPerClass())
        .isEqualTo(Map.of(Trick.BASE_CLASS, 3, Trick.RANDOM_GUIDANCE, 7));
    assertThat(TrickMix.equalBudget(ALL, 1).imagesPerClass())
        .isEqualTo(Map.of(Trick.BASE_CLASS, 1));
    assertThatThrownBy(() -> TrickMix.shares(Map.of(Trick.BASE_CLASS, -1.0), 10))
        .hasMessageContaining("'base-class' must be a number of 0 or more");
    assertThatThrownBy(() -> TrickMix.only(Trick.BASE_CLASS, 0)).hasMessageContaining("no images");
    assertThatThrownBy(() -> TrickMix.union(List.of(), 5)).hasMessageContaining("no tricks");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "{\"motley-plan\":1}",
        "{\"motley-plan\":2,\"spec\":{}}",
        "{\"spec\":{\"classes\":\"cifar10\"}}",
        "{\"motley-plan\":1,\"spec\":{\"classes\":3}}",
        "{\"motley-plan\":1,\"spec\":{\"classes\":\"cifar10\"},\"select\":[{\"range\":[0]}]}",
        "{\"motley-plan\":1,\"motley-plan\":1}",
      })
  void refusesWhatIsNoPlan(String json) {
    assertThatThrownBy(() -> GenerationPlan.fromJson(json))
        .isInstanceOf(InvalidInputException.class)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
  }

  @Test
  void refusesMoreImagesThanAnIntCounts() {
    assertThatThrownBy(
            () -> GenerationPlan.of(cifar(TrickMix.only(Trick.BASE_CLASS, Integer.MAX_VALUE))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("images in all");
  }
}
