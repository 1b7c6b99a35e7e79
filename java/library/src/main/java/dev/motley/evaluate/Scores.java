// SPDX-License-Identifier: Apache-2.0
package dev.motley.evaluate;

import dev.motley.InvalidInputException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * All that is measured from one pass over a test set.
 *
 * @param confusion (classes, classes) counts; accuracies follow from it
 * @param topK the k of {@code topKTally}
 * @param topKTally images whose class was among the k highest logits
 * @param calibration bins of equal width over the confidence, lowest first
 * @param worstMistakes the mistakes of highest confidence, worst first
 */
public record Scores(
    ConfusionMatrix confusion,
    int topK,
    Tally topKTally,
    List<CalibrationBin> calibration,
    List<Mistake> worstMistakes) {

  /** Bins of the calibration error, as in Guo et al. 2017. */
  static final int CALIBRATION_BINS = 15;

  /** How many mistakes are kept. */
  static final int WORST_MISTAKES = 24;

  /** The usual top-5, or all classes where there are fewer. */
  static final int TOP_K = 5;

  /** Copies the lists. */
  public Scores {
    calibration = List.copyOf(calibration);
    worstMistakes = List.copyOf(worstMistakes);
  }

  /**
   * Measures logits against labels. The predicted class is the first of the highest logits.
   *
   * @param classes the number of classes, at least 1
   * @param logits (images, classes), row-major
   * @param labels (images), each in [0, classes)
   * @return the scores
   * @throws InvalidInputException if the sizes do not fit, a label is out of range or a logit is
   *     not finite; the message names the image
   */
  public static Scores of(int classes, float[] logits, int[] labels) {
    checkSizes(classes, logits, labels);
    int[][] confusion = new int[classes][classes];
    int k = Math.min(TOP_K, classes);
    int inTopK = 0;
    int[] binImages = new int[CALIBRATION_BINS];
    int[] binCorrect = new int[CALIBRATION_BINS];
    double[] binConfidence = new double[CALIBRATION_BINS];
    List<Mistake> mistakes = new ArrayList<>();

    for (int image = 0; image < labels.length; image++) {
      int row = image * classes;
      int label = labels[image];
      Prediction prediction = Prediction.of(classes, logits, image);
      int predicted = prediction.label();
      double confidence = prediction.confidence();

      confusion[label][predicted]++;
      inTopK += rank(logits, row, classes, label) < k ? 1 : 0;
      int bin =
          Math.clamp((int) Math.ceil(confidence * CALIBRATION_BINS) - 1, 0, CALIBRATION_BINS - 1);
      binImages[bin]++;
      binConfidence[bin] += confidence;
      if (predicted == label) {
        binCorrect[bin]++;
      } else {
        mistakes.add(new Mistake(image, label, predicted, confidence));
      }
    }
    mistakes.sort(Comparator.comparingDouble(Mistake::confidence).reversed());
    return new Scores(
        new ConfusionMatrix(rows(confusion)),
        k,
        new Tally(inTopK, labels.length),
        bins(binImages, binConfidence, binCorrect),
        mistakes.subList(0, Math.min(WORST_MISTAKES, mistakes.size())));
  }

  /**
   * Returns how all images fared.
   *
   * @return with its accuracy and interval
   */
  public Tally total() {
    return confusion.total();
  }

  /**
   * Returns how each class fared, in label order.
   *
   * @return (classes)
   */
  public List<Tally> perClass() {
    return IntStream.range(0, confusion.classes()).mapToObj(confusion::tally).toList();
  }

  /**
   * Returns the expected calibration error: the mean distance, over images, between the confidence
   * of a bin and its accuracy.
   *
   * @return in [0, 1]; 0 is perfectly calibrated
   */
  public double calibrationError() {
    int images = calibration.stream().mapToInt(CalibrationBin::images).sum();
    double sum = 0;
    for (CalibrationBin bin : calibration) {
      sum += bin.images() * Math.abs(bin.confidence() - bin.accuracy());
    }
    return images == 0 ? 0 : sum / images;
  }

  private static void checkSizes(int classes, float[] logits, int[] labels) {
    if (classes < 1 || logits.length != (long) labels.length * classes) {
      throw new InvalidInputException(
          "%d logits for %d images of %d classes: expected images x classes"
              .formatted(logits.length, labels.length, classes));
    }
    for (int image = 0; image < labels.length; image++) {
      if (labels[image] < 0 || labels[image] >= classes) {
        throw new InvalidInputException(
            "the label of image %d is %d: expected 0 to %d"
                .formatted(image, labels[image], classes - 1));
      }
    }
  }

  /** How many classes come before this one; of equal logits the lower index comes first. */
  private static int rank(float[] logits, int row, int classes, int label) {
    float own = logits[row + label];
    int before = 0;
    for (int i = 0; i < classes; i++) {
      before += logits[row + i] > own || (logits[row + i] == own && i < label) ? 1 : 0;
    }
    return before;
  }

  private static List<List<Integer>> rows(int[][] confusion) {
    return IntStream.range(0, confusion.length)
        .mapToObj(label -> IntStream.of(confusion[label]).boxed().toList())
        .toList();
  }

  private static List<CalibrationBin> bins(int[] images, double[] confidence, int[] correct) {
    return IntStream.range(0, images.length)
        .mapToObj(
            i ->
                images[i] == 0
                    ? new CalibrationBin(0, 0, 0)
                    : new CalibrationBin(
                        images[i], confidence[i] / images[i], (double) correct[i] / images[i]))
        .toList();
  }
}
