// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.MotleyException;
import dev.motley.Precision;
import dev.motley.ProgressListener;
import dev.motley.diffusion.ClipPreprocessing;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.diffusion.ImageEncoder;
import dev.motley.ffi.NativeRuntime;
import dev.motley.image.Png;
import dev.motley.image.Resize;
import dev.motley.image.RgbImage;
import dev.motley.testing.CheckedModel;
import dev.motley.testing.Shared;
import dev.motley.testing.SmallVision;
import dev.motley.tricks.DatasetPreset;
import dev.motley.tricks.Fidelity;
import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.PlanSpec;
import dev.motley.tricks.Trick;
import dev.motley.tricks.TrickMix;
import dev.motley.weights.Ema;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The embedded model beside a checker that flags some of what it draws, or all. */
class SafetyGateTest {
  private static final GenerationPlan PLAN =
      GenerationPlan.of(
          PlanSpec.of(DatasetPreset.named("fashion-mnist"), Fidelity.PAPER)
              .withSteps(2)
              .with(TrickMix.only(Trick.BASE_CLASS, 2)));

  private static final int WIDTH = 32;

  @TempDir private static Path shared;
  private static long liveBefore;
  private static DiffusionPipeline someFlagged;
  private static DiffusionPipeline allFlagged;

  /** Keys of the images whose first picture is flagged. */
  private static Set<String> flagged;

  @TempDir private Path folder;

  @BeforeAll
  static void models() {
    liveBefore = NativeRuntime.liveBytes();
    Path plain = shared.resolve("plain");
    try (var pipeline = DiffusionPipeline.load(Shared.repository().resolve("models/clothes"), Precision.FP32)) {
      DatasetGenerator.generate(PLAN, pipeline, plain, GeneratorOptions.standard(), ProgressListener.NONE);
    }
    ImageSet drawn = StoreView.of(SyntheticStore.open(plain)).load();
    List<RgbImage> pictures = IntStream.range(0, drawn.count()).mapToObj(drawn::image).toList();
    float[] embeddings;
    try (var encoder = ImageEncoder.of("a file", SmallVision.CONFIG, SmallVision.tensors(), Precision.FP32)) {
      embeddings = encoder.encode(pictures, ClipPreprocessing.CENTRE_CROP);
    }
    float[] concept = Arrays.copyOf(embeddings, WIDTH);
    double[] cosines = IntStream.range(0, PLAN.size()).mapToDouble(i -> cosine(embeddings, i, concept)).toArray();
    double threshold = widestGap(cosines);
    flagged =
        IntStream.range(0, PLAN.size())
            .filter(i -> cosines[i] > threshold)
            .mapToObj(i -> PLAN.image(i).key())
            .collect(Collectors.toSet());
    someFlagged = load(CheckedModel.write(shared.resolve("some"), SmallVision.tensors(), concept, (float) threshold));
    allFlagged = load(CheckedModel.write(shared.resolve("all"), SmallVision.tensors(), concept, -2));
  }

  private static double cosine(float[] embeddings, int picture, float[] concept) {
    double product = 0;
    double squares = 0;
    double others = 0;
    for (int i = 0; i < WIDTH; i++) {
      double value = embeddings[picture * WIDTH + i];
      product += value * concept[i];
      squares += value * value;
      others += concept[i] * concept[i];
    }
    return product / Math.sqrt(squares * others);
  }

  /** A threshold with between two and eight pictures above it, and none near. */
  private static double widestGap(double[] cosines) {
    double[] sorted = Arrays.stream(cosines).sorted().toArray();
    int n = sorted.length;
    int best =
        IntStream.rangeClosed(2, 8)
            .boxed()
            .max((a, b) -> Double.compare(sorted[n - a] - sorted[n - a - 1], sorted[n - b] - sorted[n - b - 1]))
            .orElseThrow();
    assertThat(sorted[n - best] - sorted[n - best - 1]).as("scores have three digits").isGreaterThan(0.003);
    return (sorted[n - best] + sorted[n - best - 1]) / 2;
  }

  private static DiffusionPipeline load(Path model) {
    return DiffusionPipeline.load(model, Precision.FP32, Ema.AS_GIVEN, true);
  }

  @AfterAll
  static void close() {
    someFlagged.close();
    allFlagged.close();
    assertThat(NativeRuntime.liveBytes()).isEqualTo(liveBefore);
  }

  private static GeneratorOptions options(SafetyPolicy policy) {
    return GeneratorOptions.standard().withSafety(policy);
  }

  private GenerationResult generate(DiffusionPipeline pipeline, String name, GeneratorOptions options) {
    return DatasetGenerator.generate(PLAN, pipeline, folder.resolve(name), options, ProgressListener.NONE);
  }

  private SyntheticStore store(String name) {
    StoreReport report = SyntheticStore.verify(folder.resolve(name));
    assertThat(report.problems()).isEmpty();
    assertThat(report.isComplete()).isTrue();
    SyntheticStore store = SyntheticStore.open(folder.resolve(name));
    assertThat(report.safety()).isEqualTo(store.safety());
    assertThat(report.stored()).isEqualTo(store.entries().size());
    assertThat(report.dropped()).isEqualTo(store.dropped().size());
    return store;
  }

  private static Set<String> keys(List<? extends StoreSlot> slots) {
    return slots.stream().map(StoreSlot::key).collect(Collectors.toSet());
  }

  private static Map<String, Object> record(SyntheticStore store, StoreEntry entry) {
    return StoreJson.read(entry.key(), store.json(entry));
  }

  /** However it is cut up or interrupted, a store has the same bytes. */
  private void sameWhateverTheWay(SafetyPolicy policy) {
    generate(someFlagged, "batches", options(policy).withBatch(3));
    for (int stop = 1; stop <= 5; stop++) { // at the beginning of each of the first batches
      int[] begun = {0};
      int last = stop;
      try {
        DatasetGenerator.generate(
            PLAN,
            someFlagged,
            folder.resolve("stopped"),
            options(policy).withBatch(4),
            progress -> !(progress.detail().startsWith("step 1/2") && ++begun[0] == last));
      } catch (CancelledException e) {
        assertThat(SyntheticStore.verify(folder.resolve("stopped")).isSound()).isTrue();
      }
    }
    GenerationResult rest = generate(someFlagged, "stopped", options(policy));
    GenerationResult copy =
        generate(someFlagged, "copied", options(policy).reusing(List.of(SyntheticStore.open(folder.resolve("whole")))));
    assertThat(copy.copied()).isEqualTo(PLAN.size());
    assertThat(copy.drawn()).isZero();
    Map<String, String> whole = StoreFixture.contents(folder.resolve("whole"));
    for (String way : List.of("batches", "stopped", "copied")) {
      assertThat(StoreFixture.contents(folder.resolve(way))).as(way).isEqualTo(whole);
    }
    assertThat(List.of(rest.safety(), copy.safety())).containsOnly(SyntheticStore.open(folder.resolve("whole")).safety());
  }

  @Test
  void flaggedPicturesAreKeptAndMarked() {
    GenerationResult result = generate(someFlagged, "whole", options(SafetyPolicy.FLAG));
    SyntheticStore store = store("whole");
    SyntheticStore plain = SyntheticStore.open(shared.resolve("plain"));
    assertThat(store.entries()).hasSize(PLAN.size());
    for (StoreEntry entry : store.entries()) {
      assertThat(store.png(entry)).isEqualTo(plain.png(plain.entries().get(entry.position())));
      Map<String, Object> record = record(store, entry);
      assertThat(record.containsKey("flagged")).isEqualTo(flagged.contains(entry.key()));
      if (flagged.contains(entry.key())) {
        assertThat(((Map<?, ?>) record.get("flagged")).keySet()).isEqualTo(Set.of("0"));
      }
    }
    SafetySummary summary = result.safety().orElseThrow();
    int n = flagged.size();
    assertThat(summary.total()).isEqualTo(new SafetyCounts(20, n, 0, 0));
    assertThat(summary.total().kept()).isEqualTo(n);
    assertThat(summary.classes()).hasSize(10);
    for (int c = 0; c < 10; c++) {
      int label = c;
      long ofClass = PLAN.images().filter(i -> i.classIndex() == label && flagged.contains(i.key())).count();
      SafetyCounts counts = summary.classes().get(PLAN.spec().classes().labels().get(c));
      assertThat(counts).isEqualTo(new SafetyCounts(2, (int) ofClass, 0, 0));
    }
    assertThat(SyntheticStore.verify(folder.resolve("whole")).text())
        .contains("20 of 20 images, ")
        .contains("safety checker (flag): 20 pictures checked, %d flagged: %d kept, 0 dropped, 0 drawn again".formatted(n, n));
    sameWhateverTheWay(SafetyPolicy.FLAG);
  }

  @Test
  void flaggedPicturesAreLeftOutAndNoted() {
    GenerationResult result = generate(someFlagged, "whole", options(SafetyPolicy.DROP));
    SyntheticStore store = store("whole");
    int n = flagged.size();
    assertThat(result.images()).isEqualTo(20 - n);
    assertThat(result.drawn()).isEqualTo(20);
    assertThat(result.redone()).isZero();
    assertThat(keys(store.dropped())).isEqualTo(flagged);
    assertThat(store.entries()).hasSize(20 - n);
    for (StoreDrop drop : store.dropped()) {
      assertThat(drop.attempts()).hasSize(1);
      assertThat(drop.attempts().getFirst().seed()).isEqualTo(PLAN.image(drop.position()).seed());
      assertThat(drop.attempts().getFirst().flaw().concepts().get(0)).isPositive();
    }
    assertThat(result.safety().orElseThrow().total()).isEqualTo(new SafetyCounts(20, n, n, 0));
    assertThat(SyntheticStore.verify(folder.resolve("whole")).text())
        .contains("%d of 20 images and %d left out, ".formatted(20 - n, n))
        .contains("sound and complete");
    ImageSet images = StoreView.ofFinished(List.of(folder.resolve("whole"))).load();
    assertThat(images.count()).isEqualTo(20 - n);
    assertThat(StoreView.ofPlan("plan", PLAN, List.of(store)).size()).isEqualTo(20 - n);
    GenerationResult again = generate(someFlagged, "whole", options(SafetyPolicy.DROP));
    assertThat(again.drawn()).isZero();
    assertThat(again.safety()).isEqualTo(result.safety());
    sameWhateverTheWay(SafetyPolicy.DROP);
  }

  @Test
  void flaggedPicturesAreDrawnAgainWithTheNextSeed() {
    GenerationResult result = generate(someFlagged, "whole", options(SafetyPolicy.REDO));
    SyntheticStore store = store("whole");
    assertThat(result.redone()).isGreaterThanOrEqualTo(flagged.size());
    assertThat(result.drawn()).isEqualTo(20 + result.redone());
    assertThat(result.safety().orElseThrow().total())
        .isEqualTo(new SafetyCounts(20 + result.redone(), result.redone(), 0, result.redone()));
    var pictures = new ArrayList<RgbImage>();
    for (StoreEntry entry : store.entries()) {
      Map<String, Object> record = record(store, entry);
      List<Attempt> attempts = StoreRecord.attempts(record);
      assertThat(attempts.isEmpty()).isNotEqualTo(flagged.contains(entry.key()));
      long first = PLAN.image(entry.position()).seed();
      for (int i = 0; i < attempts.size(); i++) {
        assertThat(attempts.get(i).seed()).isEqualTo(PLAN.retry(PLAN.image(entry.position()), i).seed());
        assertThat(attempts.get(i).flaw().isFlagged()).isTrue();
      }
      assertThat(((Number) record.get("seed")).longValue() != first).isEqualTo(!attempts.isEmpty());
      pictures.add(Png.decode(entry.key(), store.png(entry)));
    }
    assertThat(someFlagged.safetyChecker().orElseThrow().check(pictures)).noneMatch(verdict -> verdict.flagged());
    sameWhateverTheWay(SafetyPolicy.REDO);
  }

  /** The small stored size is no matter: what is drawn is what is looked at. */
  @Test
  void picturesAreCheckedAsDrawn() {
    var small =
        new GeneratorOptions(20, 8, Resize.Filter.BILINEAR_AA, Precision.FP32, SafetyPolicy.DROP, List.of());
    generate(someFlagged, "small", small);
    assertThat(keys(store("small").dropped())).isEqualTo(flagged);
  }

  @Test
  void whereEverythingIsFlaggedRedoEndsWithTheImagesName() {
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> generate(allFlagged, "redone", options(SafetyPolicy.REDO)))
          .isExactlyInstanceOf(MotleyException.class)
          .hasMessageMatching("image base-class-000-000000 came out flagged with 16 seeds in a row: .*'drop' and 'flag'.*");
      assertThat(SyntheticStore.open(folder.resolve("redone")).slots()).isEmpty();
    }
  }

  @Test
  void whereEverythingIsFlaggedDropLeavesNothingToTrainOn() {
    GenerationResult result = generate(allFlagged, "dropped", options(SafetyPolicy.DROP).withBatch(6));
    assertThat(result.images()).isZero();
    assertThat(result.safety().orElseThrow().total()).isEqualTo(new SafetyCounts(20, 20, 20, 0));
    assertThat(store("dropped").entries()).isEmpty();
    assertThat(generate(allFlagged, "dropped", options(SafetyPolicy.DROP)).drawn()).isZero();
    assertThatThrownBy(() -> StoreView.ofFinished(List.of(folder.resolve("dropped"))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageEndingWith("dropped has no images: the safety checker had all 20 left out");
  }

  @Test
  void aStoreIsThatOfOnePolicyAndOneChecker() {
    generate(someFlagged, "store", options(SafetyPolicy.DROP));
    refused(() -> generate(someFlagged, "store", options(SafetyPolicy.FLAG)), "was drawn with safety = \"drop\", asked for is \"flag\"");
    refused(() -> generate(someFlagged, "store", options(SafetyPolicy.OFF)), "was drawn with safety = \"drop\", asked for is null");
    refused(() -> generate(allFlagged, "store", options(SafetyPolicy.DROP)), "was drawn with safety-checker = ");
    GenerationResult other =
        generate(
            someFlagged,
            "other",
            options(SafetyPolicy.FLAG).reusing(List.of(SyntheticStore.open(folder.resolve("store")))));
    assertThat(other.copied()).isZero();
    assertThat(generate(someFlagged, "off", options(SafetyPolicy.OFF)).safety()).isEmpty();
    assertThat(StoreFixture.contents(folder.resolve("off"))).isEqualTo(StoreFixture.contents(shared.resolve("plain")));
  }

  @Test
  void aModelWithoutACheckerIsRefused() {
    Path clothes = Shared.repository().resolve("models/clothes");
    refused(() -> load(clothes).close(), "clothes: has no safety checker (safety_checker/ of a diffusers folder)");
    try (var pipeline = DiffusionPipeline.load(shared.resolve("some"), Precision.FP32)) {
      refused(() -> generate(pipeline, "store", options(SafetyPolicy.FLAG)), "loaded with its safety checker");
      assertThat(folder.resolve("store")).doesNotExist();
    }
  }

  private static void refused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String complaint) {
    assertThatThrownBy(call)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(complaint)
        .hasMessageNotContaining("\n");
  }
}
