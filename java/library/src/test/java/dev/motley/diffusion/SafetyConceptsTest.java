// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.weights.TensorView;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SafetyConceptsTest {
  /** The picture of the hand-made cases: its cosine with (c, s) is c. */
  private static final double[] EAST = {1, 0};

  /** Concepts in the plane, whose cosines with {@link #EAST} exceed their thresholds by {@code excess}. */
  private static SafetyConcepts plane(double... excess) {
    double[][] directions = new double[excess.length][];
    float[] thresholds = new float[excess.length];
    for (int i = 0; i < excess.length; i++) {
      thresholds[i] = 0.25f * (i % 3);
      double cosine = thresholds[i] + excess[i];
      directions[i] = new double[] {cosine, Math.sqrt(1 - cosine * cosine)};
    }
    return new SafetyConcepts(directions, thresholds);
  }

  private static SafetyVerdict judge(SafetyConcepts specialCare, SafetyConcepts concepts) {
    return SafetyConcepts.judge(EAST, specialCare, concepts);
  }

  @Test
  void aConceptFiresAboveItsThreshold() {
    SafetyVerdict verdict = judge(plane(-0.1, -0.02, 0), plane(-0.1, 0.2, -0.001, 0.001, 0));
    assertThat(verdict.flagged()).isTrue();
    assertThat(verdict.concepts()).containsExactly(1, 3);
    assertThat(verdict.conceptScores()).containsExactly(-0.1, 0.2, -0.001, 0.001, 0.0);
    assertThat(verdict.specialCare()).isEmpty();
    assertThat(judge(plane(-0.1), plane(-0.1, -0.002)).flagged()).isFalse();
  }

  /** 0.0004 above is 0 above, 0.0006 is 0.001. */
  @Test
  void scoresAreRoundedBeforeTheyAreJudged() {
    SafetyVerdict verdict = judge(plane(), plane(0.0004, 0.0006, -0.0004));
    assertThat(verdict.concepts()).containsExactly(1);
    assertThat(verdict.conceptScores().get(1)).isEqualTo(0.001);
  }

  @Test
  void aSpecialCareConceptMakesTheRestStricterAndFlagsNothing() {
    SafetyConcepts nearly = plane(-0.009, -0.011);
    assertThat(judge(plane(-0.5, -0.001), nearly).flagged()).isFalse();
    SafetyVerdict strict = judge(plane(-0.5, 0.001), nearly);
    assertThat(strict.specialCare()).containsExactly(1);
    assertThat(strict.concepts()).containsExactly(0);
    assertThat(strict.conceptScores()).containsExactly(0.001, -0.001);
    assertThat(judge(plane(0.3, 0.3, 0.3), plane(-0.2)).flagged()).isFalse();
  }

  /** diffusers' loop raises the later ones of the special-care concepts, too, and never more than once. */
  @Test
  void specialCareRaisesWhatFollows() {
    assertThat(judge(plane(0.1, -0.005, -0.005), plane()).specialCareScores()).containsExactly(0.1, 0.005, 0.005);
    assertThat(judge(plane(-0.005, -0.005, 0.1), plane()).specialCareScores()).containsExactly(-0.005, -0.005, 0.1);
  }

  /** 17 and 3 concepts among random directions, against a plain reference on the same floats. */
  @Test
  void randomPicturesAreJudgedAsByTheReference() {
    int width = 24;
    var random = new Random(5);
    Map<String, TensorView> tensors =
        Map.of(
            "concept_embeds", normals("concept_embeds", random, 17, width),
            "concept_embeds_weights", thresholds("concept_embeds_weights", random, 17),
            "special_care_embeds", normals("special_care_embeds", random, 3, width),
            "special_care_embeds_weights", thresholds("special_care_embeds_weights", random, 3));
    var concepts = SafetyConcepts.of("a file", tensors, "concept_embeds", width);
    var specialCare = SafetyConcepts.of("a file", tensors, "special_care_embeds", width);
    int flagged = 0;
    int strict = 0;
    for (int n = 0; n < 500; n++) {
      float[] picture = normals("picture", random, 1, width).toFloats();
      double[] direction = SafetyConcepts.direction(picture, 0, width);
      SafetyVerdict verdict = SafetyConcepts.judge(direction, specialCare, concepts);
      List<Double> special = new ArrayList<>();
      double adjustment = 0;
      for (int i = 0; i < 3; i++) {
        special.add(reference(tensors, "special_care_embeds", i, picture, adjustment));
        adjustment = special.get(i) > 0 ? 0.01 : adjustment;
      }
      assertThat(verdict.specialCareScores()).isEqualTo(special);
      for (int i = 0; i < 17; i++) {
        assertThat(verdict.conceptScores().get(i)).isEqualTo(reference(tensors, "concept_embeds", i, picture, adjustment));
      }
      flagged += verdict.flagged() ? 1 : 0;
      strict += verdict.specialCare().isEmpty() ? 0 : 1;
    }
    assertThat(flagged).isBetween(50, 450);
    assertThat(strict).isBetween(20, 450);
  }

  private static double reference(Map<String, TensorView> tensors, String name, int concept, float[] picture, double adjustment) {
    float[] concepts = tensors.get(name).toFloats();
    double product = 0;
    double ours = 0;
    double theirs = 0;
    for (int i = 0; i < picture.length; i++) {
      double c = concepts[concept * picture.length + i];
      product += c * picture[i];
      ours += (double) picture[i] * picture[i];
      theirs += c * c;
    }
    double score = product / Math.sqrt(ours * theirs) - tensors.get(name + "_weights").toFloats()[concept] + adjustment;
    return BigDecimal.valueOf(score).setScale(3, RoundingMode.HALF_EVEN).doubleValue() + 0.0;
  }

  private static TensorView normals(String name, Random random, int rows, int width) {
    float[] values = new float[rows * width];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return TensorView.ofFloats(name, new long[] {rows, width}, values);
  }

  /** Cosines of random directions in 24 dimensions have a deviation of 0.2. */
  private static TensorView thresholds(String name, Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = 0.3f + 0.2f * random.nextFloat();
    }
    return TensorView.ofFloats(name, new long[] {count}, values);
  }

  @Test
  void wrongTensorsAreNamed() {
    var concepts = TensorView.ofFloats("c", new long[] {2, 3}, 1, 2, 3, 4, 5, 6);
    var weights = TensorView.ofFloats("c_weights", new long[] {2}, 1, 2);
    refused(Map.of("c_weights", weights), "a file: c is missing; not a safety checker of Stable Diffusion?");
    refused(Map.of("c", concepts), "a file: c_weights is missing");
    refused(
        Map.of("c", concepts, "c_weights", TensorView.ofFloats("c_weights", new long[] {3}, 1, 2, 3)),
        "a file: c and c_weights have shapes [2, 3] and [3], expected [concepts, 3] and [concepts]");
    refused(
        Map.of("c", TensorView.ofFloats("c", new long[] {2, 1}, 1, 2), "c_weights", weights),
        "have shapes [2, 1] and [2], expected [concepts, 3]");
    refused(
        Map.of("c", concepts, "c_weights", TensorView.ofFloats("c_weights", new long[] {2}, 1, Float.NaN)),
        "a file: c or c_weights is not finite");
  }

  private static void refused(Map<String, TensorView> tensors, String complaint) {
    assertThatThrownBy(() -> SafetyConcepts.of("a file", tensors, "c", 3))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(complaint);
  }
}
