// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.image.Png;
import dev.motley.image.RgbImage;
import dev.motley.tricks.ClassList;
import dev.motley.tricks.Fidelity;
import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.PlanSpec;
import dev.motley.tricks.PlannedImage;
import dev.motley.tricks.Trick;
import dev.motley.tricks.TrickMix;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreViewTest {

  private static final List<Trick> ALL = List.of(Trick.values());
  private static final int WIDTH = 8;
  private static final int HEIGHT = 4;

  @TempDir Path temporary;

  private static PlanSpec spec(TrickMix mix) {
    return PlanSpec.of(ClassList.of("pets", List.of("cat", "dog", "fish")), Fidelity.PAPER)
        .with(mix);
  }

  /** Pixels that follow from what is drawn, as a model's do. */
  private static byte[] pixels(PlannedImage image, int height) {
    var pixels = new byte[3 * WIDTH * height];
    new Random(image.prompt().hashCode() + 31L * image.noiseKey() + image.seed()).nextBytes(pixels);
    return pixels;
  }

  private SyntheticStore store(String name, GenerationPlan plan, int count) {
    return store(name, plan, count, HEIGHT, "model");
  }

  private SyntheticStore store(
      String name, GenerationPlan plan, int count, int height, String model) {
    Path folder = temporary.resolve(name);
    var header = new StoreHeader(plan, model, Map.of(), Map.of(), 7);
    try (StoreWriter writer = StoreFixture.open(folder, header)) {
      for (int i = 0; i < count; i++) {
        PlannedImage image = plan.image(i);
        byte[] png = Png.encode(new RgbImage(height, WIDTH, pixels(image, height)), Map.of());
        writer.append(i, image.key(), png, StoreRecord.json(image, List.of(), Optional.empty()));
      }
    }
    return SyntheticStore.open(folder);
  }

  private SyntheticStore store(String name, GenerationPlan plan) {
    return store(name, plan, plan.size());
  }

  private static void assertHolds(ImageSet set, List<PlannedImage> images) {
    assertThat(set.count()).isEqualTo(images.size());
    for (int i = 0; i < images.size(); i++) {
      assertThat(set.labels()[i]).isEqualTo(images.get(i).classIndex());
      assertThat(set.image(i).pixels()).isEqualTo(pixels(images.get(i), HEIGHT));
    }
  }

  @Test
  void loadsAWholeStoreInPlanOrder() {
    GenerationPlan plan = GenerationPlan.of(spec(TrickMix.union(ALL, 5)));
    ImageSet set = StoreView.of(store("a", plan)).named("mine").load();
    assertHolds(set, plan.images().toList());
    assertThat(set.classNames()).containsExactly("cat", "dog", "fish");
    assertThat(set.name()).isEqualTo("mine");
    assertThat(set.width()).isEqualTo(WIDTH);
    assertThat(set.height()).isEqualTo(HEIGHT);
  }

  @Test
  void aCombinedSetTakesItsBaseImagesFromTheBaseSet() {
    GenerationPlan base = GenerationPlan.of(spec(TrickMix.only(Trick.BASE_CLASS, 8)));
    GenerationPlan mixed = GenerationPlan.of(spec(TrickMix.equalBudget(ALL, 8)));
    GenerationPlan rest = mixed.minus(base);
    List<SyntheticStore> stores = List.of(store("base", base), store("rest", rest));
    StoreView view = StoreView.ofPlan("combined", mixed, stores);
    assertHolds(view.load(), mixed.images().toList());
    assertThat(view.items().stream().filter(i -> i.store() == stores.get(0))).hasSize(6);
    assertThatThrownBy(() -> StoreView.ofPlan("combined", mixed, stores.subList(0, 1)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("18 of the plan's 24 images are in none")
        .hasMessageContaining("'" + rest.image(0).key() + "'");
    SyntheticStore other = store("other", rest, rest.size(), HEIGHT, "another");
    assertThatThrownBy(() -> StoreView.ofPlan("combined", mixed, List.of(stores.get(0), other)))
        .hasMessageContaining("were not drawn alike");
  }

  @Test
  void anUnfinishedStoreServesWhatItHas() {
    GenerationPlan plan = GenerationPlan.of(spec(TrickMix.union(ALL, 5)));
    SyntheticStore store = store("half", plan, 17);
    assertHolds(StoreView.of(store).load(), plan.range(0, 17).images().toList());
    assertThatThrownBy(() -> StoreView.ofPlan("all", plan, List.of(store)))
        .hasMessageContaining("43 of the plan's 60 images");
    assertHolds(
        StoreView.ofPlan("some", plan.range(3, 16), List.of(store)).load(),
        plan.range(3, 16).images().toList());
  }

  @Test
  void unionsCountAnImageOnce() {
    GenerationPlan small = GenerationPlan.of(spec(TrickMix.union(ALL, 2)));
    GenerationPlan large = GenerationPlan.of(spec(TrickMix.union(ALL, 4)));
    StoreView a = StoreView.of(store("small", small));
    StoreView b = StoreView.of(store("large", large));
    StoreView union = StoreView.union("both", List.of(a, b));
    assertHolds(union.load(), large.images().toList());
    assertThat(StoreView.concat("both", List.of(a, b)).size()).isEqualTo(72);
    GenerationPlan seeded = GenerationPlan.of(spec(TrickMix.union(ALL, 2)).withSeed(5));
    StoreView c = StoreView.of(store("seeded", seeded));
    assertThatThrownBy(() -> StoreView.union("both", List.of(a, c)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("'" + small.image(0).key() + "' is one image in");
    assertThat(StoreView.concat("seeds", List.of(a, c)).load().count()).isEqualTo(48);
  }

  @Test
  void takesParts() {
    GenerationPlan plan = GenerationPlan.of(spec(TrickMix.union(ALL, 5)));
    StoreView view = StoreView.of(store("a", plan));
    assertThat(view.maxPerClass(4).load().classCounts()).containsExactly(4, 4, 4);
    assertThat(view.first(7).load().classCounts()).containsExactly(3, 2, 2);
    assertThat(view.first(999).size()).isEqualTo(60);
    StoreView random = view.only(Set.of(Trick.RANDOM_GUIDANCE));
    assertThat(random.items()).allMatch(i -> i.planned().trick() == Trick.RANDOM_GUIDANCE);
    assertThat(random.load().classCounts()).containsExactly(5, 5, 5);
    assertThatThrownBy(() -> view.first(0).load())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("no images");
  }

  @Test
  void mixesWithAnEqualBudget() {
    StoreView a =
        StoreView.of(store("a", GenerationPlan.of(spec(TrickMix.only(Trick.BASE_CLASS, 6)))));
    StoreView b =
        StoreView.of(store("b", GenerationPlan.of(spec(TrickMix.only(Trick.CLASS_PROMPT, 6)))));
    StoreView mix = StoreView.equalBudget("mix", List.of(a, b), 7);
    assertThat(mix.load().classCounts()).containsExactly(7, 7, 7);
    assertThat(mix.only(Set.of(Trick.BASE_CLASS)).size()).isEqualTo(12);
    assertThat(mix.only(Set.of(Trick.CLASS_PROMPT)).size()).isEqualTo(9);
    assertThatThrownBy(() -> StoreView.equalBudget("mix", List.of(a, b), 14))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("has 6 images of 'cat', the mix needs 7");
  }

  @Test
  void refusesToMixClassesAndSizes() {
    GenerationPlan plan = GenerationPlan.of(spec(TrickMix.union(ALL, 1)));
    GenerationPlan others =
        GenerationPlan.of(
            PlanSpec.of(ClassList.of("two", List.of("dog", "cat")), Fidelity.PAPER)
                .with(TrickMix.union(ALL, 1)));
    StoreView a = StoreView.of(store("a", plan));
    StoreView b = StoreView.of(store("b", others));
    assertThatThrownBy(() -> StoreView.concat("mix", List.of(a, b)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("the 2 of 'two'")
        .hasMessageContaining("the 3 classes of 'pets'");
    StoreView tall = StoreView.of(store("tall", plan, plan.size(), 6, "model"));
    assertThatThrownBy(() -> StoreView.concat("mix", List.of(a, tall)).load())
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("has 8x6 pixels")
        .hasMessageContaining("has 8x4");
  }
}
