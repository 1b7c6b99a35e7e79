// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.motley.InvalidInputException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ScoresTest {

  private static final float LN3 = (float) Math.log(3);

  @Test
  void countsByLabelAndPrediction() {
    float[] logits = {
      2, 1, 0, // 0 called 0
      0, 1, 5, // 0 called 2
      0, 3, 1, // 1 called 1
      1, 1, 0, // 2 called 0: the first of equals
    };
    Scores scores = Scores.of(3, logits, new int[] {0, 0, 1, 2});

    assertThat(scores.confusion().rows())
        .isEqualTo(List.of(List.of(1, 0, 1), List.of(0, 1, 0), List.of(1, 0, 0)));
    assertThat(scores.total()).isEqualTo(new Tally(2, 4));
    assertThat(scores.perClass())
        .containsExactly(new Tally(1, 2), new Tally(1, 1), new Tally(0, 1));
    assertThat(scores.topK()).isEqualTo(3);
    assertThat(scores.topKTally()).isEqualTo(new Tally(4, 4));
  }

  @Test
  void topFiveBreaksTiesByTheLowerIndex() {
    float[] flat = new float[2 * 7];
    Scores scores = Scores.of(7, flat, new int[] {4, 5});
    assertThat(scores.topK()).isEqualTo(5);
    assertThat(scores.topKTally()).isEqualTo(new Tally(1, 2));
  }

  @Test
  void keepsTheMostConfidentMistakesWorstFirst() {
    float[] logits = new float[30 * 2];
    int[] labels = new int[30];
    for (int i = 0; i < 30; i++) {
      logits[2 * i] = i % 2 == 0 ? i : -i; // even images are called 0, odd ones 1
      labels[i] = 1;
    }
    List<Mistake> worst = Scores.of(2, logits, labels).worstMistakes();
    assertThat(worst).extracting(Mistake::image).startsWith(28, 26, 24).hasSize(15);
    assertThat(worst.getFirst().confidence()).isCloseTo(1, within(1e-9));
    assertThat(worst).allSatisfy(m -> assertThat(m.predicted()).isZero());

    int[] allWrong = new int[30];
    for (int i = 0; i < 30; i++) {
      allWrong[i] = i % 2 == 0 ? 1 : 0;
    }
    assertThat(Scores.of(2, logits, allWrong).worstMistakes()).hasSize(Scores.WORST_MISTAKES);
  }

  @Test
  void calibrationErrorOfThreeQuartersConfidence() {
    // Confidence 0.75 each, one right in four: the error is 0.5.
    float[] logits = {LN3, 0, LN3, 0, LN3, 0, LN3, 0};
    Scores scores = Scores.of(2, logits, new int[] {0, 1, 1, 1});
    assertThat(scores.calibrationError()).isCloseTo(0.5, within(1e-7));
    // Perfectly calibrated: three right in four.
    assertThat(Scores.of(2, logits, new int[] {0, 0, 0, 1}).calibrationError())
        .isCloseTo(0, within(1e-7));
  }

  @Test
  void largeLogitsDoNotOverflow() {
    Scores scores = Scores.of(2, new float[] {3e38f, -3e38f}, new int[] {1});
    assertThat(scores.worstMistakes().getFirst().confidence()).isEqualTo(1);
  }

  @Test
  void noImagesAreNoScores() {
    Scores scores = Scores.of(2, new float[0], new int[0]);
    assertThat(scores.total().accuracy()).isZero();
    assertThat(scores.calibrationError()).isZero();
  }

  @Test
  void namesTheImageThatDoesNotFit() {
    assertThatThrownBy(() -> Scores.of(2, new float[] {0, 1, Float.NaN, 0}, new int[] {0, 0}))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("logit 0 of image 1 is NaN: the classifier's weights have diverged");
    assertThatThrownBy(() -> Scores.of(2, new float[4], new int[] {0, 2}))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("the label of image 1 is 2: expected 0 to 1");
    assertThatThrownBy(() -> Scores.of(2, new float[3], new int[] {0, 1}))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("3 logits for 2 images of 2 classes");
  }

  @Test
  void agreesWithCountingOneByOne() {
    var random = new Random(7);
    int classes = 13;
    int images = 997;
    float[] logits = new float[images * classes];
    int[] labels = new int[images];
    int right = 0;
    for (int i = 0; i < images; i++) {
      labels[i] = random.nextInt(classes);
      int best = 0;
      for (int c = 0; c < classes; c++) {
        logits[i * classes + c] = (float) random.nextGaussian();
        best = logits[i * classes + c] > logits[i * classes + best] ? c : best;
      }
      right += best == labels[i] ? 1 : 0;
    }
    Scores scores = Scores.of(classes, logits, labels);
    assertThat(scores.total()).isEqualTo(new Tally(right, images));
    int binned = scores.calibration().stream().mapToInt(CalibrationBin::images).sum();
    assertThat(binned).isEqualTo(images);
  }

  @Test
  void strongestConfusionsComeFirst() {
    var matrix = new ConfusionMatrix(List.of(List.of(5, 2, 7), List.of(2, 9, 0), List.of(0, 1, 3)));
    assertThat(matrix.strongest(3))
        .containsExactly(
            new ConfusionMatrix.Confusion(0, 2, 7),
            new ConfusionMatrix.Confusion(0, 1, 2),
            new ConfusionMatrix.Confusion(1, 0, 2));
    assertThat(matrix.strongest(99)).hasSize(4);
  }
}
