// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.dataset.ImageSet;
import dev.motley.dataset.StoreHeader;
import dev.motley.dataset.TrainingSet;
import dev.motley.image.Resize;
import dev.motley.tricks.ClassList;
import dev.motley.tricks.Fidelity;
import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.PlanSpec;
import dev.motley.tricks.Trick;
import dev.motley.tricks.TrickMix;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TrainingDataTest {
  private static final ImageSet IMAGES = new ImageSet("set", 1, 1, new byte[30], new int[10], List.of("cat", "dog"));

  private static TrainingSet.Source store(Map<Trick, Integer> byTrick) {
    var plan =
        GenerationPlan.of(
            PlanSpec.of(ClassList.of("own", List.of("cat", "dog")), Fidelity.REPO)
                .with(TrickMix.union(List.of(Trick.BASE_CLASS), 4)));
    StoreHeader header = StoreHeader.of(plan, "abc", Map.of("resize", "bicubic"), Map.of());
    return new TrainingSet.Source("store", "synthetic store", 8, 8, 0, Optional.of(header), byTrick);
  }

  private static TrainingSet set(Optional<Resize.Filter> resize, TrainingSet.Source... sources) {
    return new TrainingSet(IMAGES, List.of(sources), resize, Map.of());
  }

  @Test
  void storesAreToldByTheirTricks() {
    TrainingData data =
        TrainingData.of(
            set(
                Optional.empty(),
                store(Map.of(Trick.BASE_CLASS, 4)),
                store(Map.of(Trick.BASE_CLASS, 1, Trick.MULTI_DOMAIN, 5))));
    assertThat(data.perClass()).isEqualTo(Map.of(Trick.BASE_CLASS, 3, Trick.MULTI_DOMAIN, 2));
    assertThat(data.model()).isEqualTo("abc");
    assertThat(data.resize()).isEqualTo("bicubic");
    assertThat(data.preset()).isEqualTo("repo");
    assertThat(TrainingData.of(set(Optional.of(Resize.Filter.BILINEAR), store(Map.of()))).resize()).isEqualTo("bilinear");
  }

  /** The control with equal budgets: four tricks with no more images together than one of them has alone. */
  @Test
  void sharesOfTricksAddUpToTheWhole() {
    Map<Trick, Integer> shared = Map.of(Trick.BASE_CLASS, 15, Trick.CLASS_PROMPT, 15, Trick.MULTI_DOMAIN, 15, Trick.RANDOM_GUIDANCE, 15);
    Map<Trick, Integer> perClass = TrainingData.perClass(shared, 10);
    assertThat(perClass.keySet()).isEqualTo(shared.keySet());
    assertThat(perClass.values()).containsOnly(1, 2).satisfies(all -> assertThat(all.stream().mapToInt(n -> n).sum()).isEqualTo(6));
    assertThat(TrainingData.perClass(Map.of(Trick.BASE_CLASS, 16_700, Trick.MULTI_DOMAIN, 16_650, Trick.RANDOM_GUIDANCE, 16_650), 100).values())
        .containsExactly(167, 167, 166);
    assertThat(TrainingData.perClass(Map.of(Trick.BASE_CLASS, 2000), 10)).isEqualTo(Map.of(Trick.BASE_CLASS, 200));
  }

  @Test
  void withRealImagesAmongThemNoPlanDescribesTheWhole() {
    var real = new TrainingSet.Source("real", "IDX", 2, 2, 0, Optional.empty(), Map.of());
    TrainingData data = TrainingData.of(set(Optional.empty(), store(Map.of(Trick.BASE_CLASS, 8)), real));
    assertThat(data.perClass()).isEmpty();
    assertThat(data.model()).isEmpty();
    assertThat(data.totalPerClass()).isEqualTo(5);
  }
}
