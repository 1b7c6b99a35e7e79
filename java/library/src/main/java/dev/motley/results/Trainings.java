// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.InvalidInputException;
import dev.motley.evaluate.Evaluation;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The trainings that lie in some folders.
 *
 * @param tested those with a result, in the order of their paths
 * @param untested folders of those that were never tested
 */
public record Trainings(List<Trained> tested, List<Path> untested) {
  /** Copies the lists. */
  public Trainings {
    tested = List.copyOf(tested);
    untested = List.copyOf(untested);
  }

  /**
   * Looks through folders, all that lies in them included.
   *
   * @param folders such as those of runs
   * @throws InvalidInputException if one is no folder, none of them holds a training, or a record is damaged; names it
   */
  public static Trainings in(List<Path> folders) {
    var tested = new ArrayList<Trained>();
    var untested = new ArrayList<Path>();
    for (Path training : folders.stream().flatMap(folder -> trainings(folder).stream()).distinct().toList()) {
      TrainingRecord record = TrainingRecord.read(training);
      if (record.test().isEmpty()) {
        untested.add(training);
      } else {
        tested.add(new Trained(training, record, evaluation(training, record)));
      }
    }
    if (tested.isEmpty() && untested.isEmpty()) {
      throw new InvalidInputException(
          "no finished training in %s: 'run', 'train' and 'paper' leave a %s beside each model"
              .formatted(String.join(", ", folders.stream().map(Path::toString).toList()), TrainingRecord.FILE));
    }
    return new Trainings(tested, untested);
  }

  private static Evaluation evaluation(Path training, TrainingRecord record) {
    Path file = training.resolve(TrainingRecord.EVALUATION);
    Evaluation evaluation = Evaluation.read(file);
    if (evaluation.classes().size() != record.data().classes()) {
      throw new InvalidInputException(
          "%s is of %d classes, the training beside it of %d: test it again"
              .formatted(file, evaluation.classes().size(), record.data().classes()));
    }
    return evaluation;
  }

  private static List<Path> trainings(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new InvalidInputException(folder + ": no such folder");
    }
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> file.endsWith(TrainingRecord.FILE) && Files.isRegularFile(file))
          .map(file -> file.getParent().normalize())
          .sorted()
          .toList();
    } catch (IOException e) {
      throw FileFailure.readingIn(folder, e);
    } catch (UncheckedIOException e) {
      throw FileFailure.readingIn(folder, e.getCause());
    }
  }
}
