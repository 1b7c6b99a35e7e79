// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.evaluate.Evaluation;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FindingTest {

  @Test
  void saysByHowManyPointsTheSecondIsBetter() {
    Finding finding = finding(548, 664);
    assertThat(finding.headline())
        .isEqualTo(
            "Set 1 beats Set 0 by 11.6 points on real images: 66.4\u202f% right against"
                + " 54.8\u202f%.");
    assertThat(finding.explanation().getLast())
        .isEqualTo("Set 1 against Set 0: 11.6 points more (95\u202f% interval +7.3 to +15.8).");
  }

  @Test
  void saysWhenItIsWorse() {
    assertThat(finding(664, 548).explanation().getLast()).contains("11.6 points fewer");
    assertThat(finding(664, 548).headline()).contains("Set 1 falls behind Set 0 by 11.6 points");
  }

  @Test
  void claimsNothingThatChanceExplains() {
    assertThat(finding(600, 610).explanation().getLast())
        .contains("within what chance explains")
        .doesNotContain("more")
        .contains("+1.0");
    assertThat(finding(600, 610).headline())
        .startsWith("Set 1 makes no clear difference to real images: 61.0");
  }

  @Test
  void saysWhatWasTested() {
    assertThat(finding(600, 610).explanation().getFirst())
        .isEqualTo(
            "Each ResNet50 learned from 1,000 synthetic images of its own set and saw not one real"
                + " image in training. The test: 1,000 real images (clothes), 2 classes.");
    assertThat(finding(600).headline()).startsWith("60.0\u202f% right on real images");
    assertThat(finding(600).explanation()).hasSize(1);
    assertThat(finding(600, 610, 700).headline())
        .isEqualTo("3 synthetic sets, 60.0\u202f% to 70.0\u202f% of the real images right.");
    assertThat(finding(600, 610, 700).explanation()).hasSize(3);
  }

  private static Finding finding(int... correct) {
    int images = 1000;
    List<Experiment> experiments =
        IntStream.range(0, correct.length)
            .mapToObj(
                i -> {
                  float[] logits = new float[2 * images];
                  for (int image = correct[i]; image < images; image++) {
                    logits[2 * image + 1] = 1;
                  }
                  var evaluation =
                      Evaluation.of(List.of("a", "b"), 1, logits, logits, new int[images]);
                  return new Experiment("Set " + i, "", 1000, evaluation, List.of(), List.of());
                })
            .toList();
    return Finding.of(
        new ReportData(
            "t", "ResNet50", "clothes", experiments, List.of(), List.of(), List.of(), List.of(), List.of(), "", List.of()));
  }
}
