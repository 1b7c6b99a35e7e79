// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.Progress;
import dev.motley.ProgressListener;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.diffusion.Drawing;
import dev.motley.diffusion.PictureParameters;
import dev.motley.diffusion.PictureTexts;
import dev.motley.image.Difference;
import dev.motley.image.Png;
import dev.motley.image.Resize;
import dev.motley.image.RgbImage;
import dev.motley.testing.Shared;
import dev.motley.tricks.DatasetPreset;
import dev.motley.tricks.Fidelity;
import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.NoiseSharing;
import dev.motley.tricks.NoiseSource;
import dev.motley.tricks.PixelRounding;
import dev.motley.tricks.PlanSpec;
import dev.motley.tricks.Trick;
import dev.motley.tricks.TrickMix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetGeneratorTest {
  private static final PlanSpec SPEC =
      PlanSpec.of(DatasetPreset.named("fashion-mnist"), Fidelity.PAPER).withSteps(2);
  private static final GenerationPlan BASE = GenerationPlan.of(SPEC.with(TrickMix.only(Trick.BASE_CLASS, 2)));
  private static final GenerationPlan COMBINED =
      GenerationPlan.of(SPEC.with(TrickMix.equalBudget(List.of(Trick.values()), 4)));

  private static DiffusionPipeline pipeline;

  @TempDir private Path folder;

  @BeforeAll
  static void load() {
    pipeline = DiffusionPipeline.load(Shared.repository().resolve("models/clothes"), Precision.FP32);
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  private static GeneratorOptions batches(int batch) {
    return new GeneratorOptions(batch, 0, Resize.Filter.BILINEAR_AA, Precision.FP32, SafetyPolicy.OFF, List.of());
  }

  private GenerationResult generate(GenerationPlan plan, String name, GeneratorOptions options) {
    return DatasetGenerator.generate(plan, pipeline, folder.resolve(name), options, ProgressListener.NONE);
  }

  private Map<String, String> files(String name) throws IOException {
    var files = new TreeMap<String, String>();
    try (Stream<Path> all = Files.list(folder.resolve(name))) {
      for (Path file : all.filter(f -> f.toString().endsWith(".tar")).toList()) {
        files.put(file.getFileName().toString(), java.util.Arrays.toString(Files.readAllBytes(file)));
      }
    }
    return files;
  }

  @Test
  void theStoreHoldsThePlanWhateverTheBatch() throws IOException {
    GenerationResult result = generate(COMBINED, "seven", batches(7));
    assertThat(result.drawn()).isEqualTo(40);
    assertThat(SyntheticStore.verify(folder.resolve("seven")).isSound()).isTrue();
    SyntheticStore store = SyntheticStore.open(folder.resolve("seven"));
    assertThat(store.isComplete()).isTrue();
    ImageSet images = StoreView.of(store).load();
    assertThat(images.count()).isEqualTo(40);
    assertThat(images.classCounts()).containsOnly(4);
    for (int batch : new int[] {1, 2, 3, 5, 40}) {
      generate(COMBINED, "by " + batch, batches(batch));
      assertThat(files("by " + batch)).as("batches of %d", batch).isEqualTo(files("seven")).isNotEmpty();
    }
    generate(COMBINED, "overlapping", batches(7).overlapping());
    assertThat(files("overlapping")).as("decoding beside denoising, not after it").isEqualTo(files("seven"));
  }

  @Test
  void aStoppedRunGoesOnToTheSameBytes() throws IOException {
    generate(COMBINED, "whole", batches(8));
    int[] batchesSeen = {0};
    assertThatThrownBy(
            () ->
                DatasetGenerator.generate(
                    COMBINED,
                    pipeline,
                    folder.resolve("stopped"),
                    batches(8),
                    progress -> !(progress.detail().startsWith("step 1/2") && ++batchesSeen[0] == 3)))
        .isInstanceOf(CancelledException.class)
        .hasMessage("stopped after 16 of 40 images; run the same command again to go on");
    GenerationResult rest = generate(COMBINED, "stopped", batches(5));
    assertThat(rest.resumed()).isEqualTo(16);
    assertThat(rest.drawn()).isEqualTo(24);
    assertThat(files("stopped")).isEqualTo(files("whole")).isNotEmpty();
    assertThat(generate(COMBINED, "stopped", batches(5)).drawn()).isZero();
    try (var fresh = DiffusionPipeline.load(Shared.repository().resolve("models/clothes"), Precision.FP32)) {
      assertThat(
              DatasetGenerator.generate(
                      COMBINED, fresh, folder.resolve("stopped"), batches(5), ProgressListener.NONE)
                  .drawn())
          .as("a pipeline that never saw a prompt")
          .isZero();
    }
  }

  private Map<String, String> pictures(String name) {
    assertThat(SyntheticStore.verify(folder.resolve(name)).isSound()).isTrue();
    SyntheticStore store = SyntheticStore.open(folder.resolve(name));
    var pictures = new TreeMap<String, String>();
    store.entries().forEach(entry -> pictures.put(entry.key(), HexFormat.of().formatHex(store.png(entry))));
    return pictures;
  }

  @Test
  void partsOfAPlanGiveItsPictures() {
    generate(COMBINED, "whole", batches(20));
    Map<String, String> whole = pictures("whole");
    var parts = new TreeMap<String, String>();
    for (int i = 0; i < 3; i++) {
      assertThat(generate(COMBINED.shard(i, 3), "part" + i, batches(9)).drawn()).isBetween(13, 14);
      parts.putAll(pictures("part" + i));
    }
    assertThat(parts).isEqualTo(whole);
    generate(COMBINED.minus(BASE), "rest", batches(7));
    assertThat(pictures("rest")).hasSize(30).allSatisfy((key, png) -> assertThat(png).isEqualTo(whole.get(key)));
    String last = COMBINED.image(39).key();
    generate(COMBINED.only(last), "one", batches(7));
    assertThat(pictures("one")).isEqualTo(Map.of(last, whole.get(last)));
    SyntheticStore store = SyntheticStore.open(folder.resolve("whole"));
    GenerationPlan part = COMBINED.range(15, 31);
    assertThat(generate(part, "copied", batches(7).reusing(List.of(store))).copied()).isEqualTo(16);
    assertThat(pictures("copied")).hasSize(16).allSatisfy((key, png) -> assertThat(png).isEqualTo(whole.get(key)));
  }

  @Test
  void equalImagesAreCopiedFromAnotherStore() throws IOException {
    generate(BASE, "base", batches(20));
    SyntheticStore base = SyntheticStore.open(folder.resolve("base"));
    GenerationResult result = generate(COMBINED, "combined", batches(50).reusing(List.of(base)));
    assertThat(result.copied()).isEqualTo(10);
    assertThat(result.drawn()).isEqualTo(30);
    generate(COMBINED, "drawn", batches(50));
    assertThat(files("combined")).isEqualTo(files("drawn")).isNotEmpty();
    GenerationPlan again = GenerationPlan.of(SPEC.with(TrickMix.only(Trick.BASE_CLASS, 1)));
    assertThat(generate(again, "copied", batches(50).reusing(List.of(base))).drawn()).isZero();
    assertThat(SyntheticStore.open(folder.resolve("copied")).isComplete()).isTrue();
  }

  @Test
  void copiesCountAsDoneFromTheStartAndInNoRate() {
    generate(BASE, "base", batches(20));
    SyntheticStore base = SyntheticStore.open(folder.resolve("base"));
    var heard = new ArrayList<Progress>();
    DatasetGenerator.generate(
        COMBINED, pipeline, folder.resolve("combined"), batches(7).reusing(List.of(base)), heard::add);
    assertThat(heard).allSatisfy(p -> assertThat(p.resumed()).isEqualTo(10));
    assertThat(heard.getFirst().done()).as("nothing is drawn yet").isEqualTo(10);
    assertThat(heard).extracting(Progress::done).isSorted();
    assertThat(heard).filteredOn(p -> p.done() == p.total()).hasSize(1);
    assertThat(heard.getLast().done() - heard.getLast().resumed()).isEqualTo(30);
    assertThat(heard).as("steps count as they are done").extracting(Progress::amount).isSorted();
    assertThat(heard.get(1).amount()).as("one of two steps of the first 7").isEqualTo(10 + 3.5);
    assertThat(heard).allSatisfy(p -> assertThat(p.amount()).isLessThanOrEqualTo(p.total()));
  }

  @Test
  void imagesAreStoredSmallerOnRequest() {
    var options = new GeneratorOptions(20, 16, Resize.Filter.PIL_BILINEAR, Precision.FP32, SafetyPolicy.OFF, List.of());
    generate(BASE, "small", options);
    assertThat(StoreView.of(SyntheticStore.open(folder.resolve("small"))).load().width()).isEqualTo(16);
  }

  /** Taken out of its store, with noise of either kind, resized or not. */
  @Test
  void aStoredPictureSaysAllThatMakesItAgain() {
    var sampling = new PlanSpec.Sampling(7, NoiseSharing.NONE, NoiseSource.TORCH, 3, 0.5);
    GenerationPlan other = GenerationPlan.of(SPEC.with(sampling).with(PixelRounding.TRUNCATE).withSize(24, 40));
    says(COMBINED.range(0, 8), "resized", 20);
    says(other.range(0, 8), "torch", 0);
  }

  private void says(GenerationPlan plan, String name, int storedSize) {
    generate(plan, name, new GeneratorOptions(5, storedSize, Resize.Filter.BILINEAR_AA, Precision.FP32, SafetyPolicy.OFF, List.of()));
    SyntheticStore store = SyntheticStore.open(folder.resolve(name));
    for (StoreEntry entry : List.of(store.entries().getFirst(), store.entries().getLast())) {
      PictureParameters said = PictureTexts.read(entry.key(), Png.texts(entry.key(), store.png(entry)));
      RgbImage again = new Drawing(pipeline, 1, Optional.empty()).draw(said, _ -> true);
      assertThat(Difference.of(again, Png.decode(entry.key(), store.png(entry)))).hasToString("identical");
      assertThat(said.model().hash()).isEqualTo(store.header().modelHash());
    }
  }

  @Test
  void aFolderOfAnotherPlanIsRefused() {
    generate(BASE, "taken", batches(20));
    assertThatThrownBy(() -> generate(COMBINED, "taken", batches(20)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "folder %s belongs to another plan: spec.tricks.base-class is 2, asked for is 1; choose another folder",
            folder.resolve("taken"));
  }
}
