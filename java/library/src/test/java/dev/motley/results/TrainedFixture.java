// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.evaluate.Evaluation;
import dev.motley.train.Recipe;
import dev.motley.tricks.ClassList;
import dev.motley.tricks.Trick;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Trainings of given accuracies: records and evaluations as a run writes them, without the training. */
final class TrainedFixture {
  private TrainedFixture() {}

  /**
   * @param perClass planned images
   * @param resize the filter's name
   * @param correct of 100 real images, with running statistics; with batch statistics one more
   */
  static Trained trained(
      Path folder, String dataset, Map<Trick, Integer> perClass, String resize, String architecture, long seed, int correct) {
    ClassList classes = ClassList.preset(dataset);
    int total = classes.size() * perClass.values().stream().mapToInt(Integer::intValue).sum();
    var data = new TrainingData(dataset, "a set", classes.size(), perClass, total, 32, resize, "model", "paper", "images", "");
    var test = new TestNote("real", 100, "hash", 128, "weights", 1.5);
    Map<String, Object> recipe = Recipe.quick(32).withSeed(seed).toTree();
    recipe.put("architecture", architecture);
    return new Trained(
        folder,
        new TrainingRecord(TrainingRecordTest.recipe(recipe), data, Optional.of(test)),
        evaluation(classes.labels(), correct));
  }

  /** Leaves it in its folder. */
  static Trained write(Trained trained) {
    trained.record().write(trained.folder());
    trained.evaluation().write(trained.folder().resolve(TrainingRecord.EVALUATION));
    return trained;
  }

  static Evaluation evaluation(List<String> classes, int correct) {
    int[] labels = new int[100];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = i % classes.size();
    }
    return Evaluation.of(classes, 128, logits(classes.size(), labels, correct), logits(classes.size(), labels, correct + 1), labels);
  }

  private static float[] logits(int classes, int[] labels, int correct) {
    var logits = new float[labels.length * classes];
    for (int i = 0; i < labels.length; i++) {
      logits[i * classes + (i < correct ? labels[i] : (labels[i] + 1) % classes)] = 3;
    }
    return logits;
  }
}
