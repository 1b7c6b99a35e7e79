// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import dev.motley.InvalidInputException;
import dev.motley.results.ResultTable;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Everything a report shows. All text is plain text: it is escaped on the page.
 *
 * @param title the page's heading
 * @param architecture of the classifiers, such as "ResNet50"
 * @param testSet what they were tested on, such as "Fashion-MNIST test set"
 * @param experiments one to six, of different names and the same classes; the first is what the
 *     others are compared with
 * @param trainings all of the run, of which the experiments are the first of each set; empty where they are all
 * @param tables of accuracies over seeds; may be empty
 * @param samples synthetic images, shown as a grid of classes by tricks; may be empty
 * @param safety what the safety checker did; empty where no picture was checked
 * @param stages where the time went; may be empty
 * @param configuration the resolved configuration, as YAML
 * @param facts versions, hashes, the machine
 */
public record ReportData(
    String title,
    String architecture,
    String testSet,
    List<Experiment> experiments,
    List<TrainingRow> trainings,
    List<ResultTable> tables,
    List<Sample> samples,
    List<SafetyRow> safety,
    List<Stage> stages,
    String configuration,
    List<Fact> facts) {

  /** As many as have their own colour, dash and marker. */
  public static final int MAX_EXPERIMENTS = 6;

  /** Copies the lists and refuses what cannot be shown side by side. */
  public ReportData {
    experiments = List.copyOf(experiments);
    trainings = List.copyOf(trainings);
    tables = List.copyOf(tables);
    samples = List.copyOf(samples);
    safety = List.copyOf(safety);
    stages = List.copyOf(stages);
    facts = List.copyOf(facts);
    if (experiments.isEmpty() || experiments.size() > MAX_EXPERIMENTS) {
      throw new InvalidInputException(
          "a report of %d experiments: expected 1 to %d"
              .formatted(experiments.size(), MAX_EXPERIMENTS));
    }
    List<String> classes = experiments.getFirst().evaluation().classes();
    Set<String> names = new HashSet<>();
    for (Experiment experiment : experiments) {
      if (!names.add(experiment.name())) {
        throw new InvalidInputException("two experiments are called " + experiment.name());
      }
      if (!experiment.evaluation().classes().equals(classes)) {
        throw new InvalidInputException(
            "experiment %s has the classes %s, %s has %s: expected the same"
                .formatted(
                    experiment.name(),
                    experiment.evaluation().classes(),
                    experiments.getFirst().name(),
                    classes));
      }
    }
    for (Sample sample : samples) {
      if (!classes.contains(sample.className())) {
        throw new InvalidInputException(
            "a sample is of class %s: expected one of %s".formatted(sample.className(), classes));
      }
    }
  }

  /** Class names in label order. */
  List<String> classes() {
    return experiments.getFirst().evaluation().classes();
  }
}
