// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import dev.motley.BatchNormMode;
import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.ProgressListener;
import dev.motley.files.AtomicFile;
import dev.motley.report.TablePage;
import dev.motley.results.PaperNumbers;
import dev.motley.results.ResultTable;
import dev.motley.results.TableText;
import dev.motley.results.Tables;
import dev.motley.results.Trained;
import dev.motley.train.Recipe;
import dev.motley.tricks.Fidelity;
import dev.motley.weights.Ema;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The paper's experiments, at any scale: for each dataset a {@link Run} of the sets of its Table 2 and the architectures of its Table 3,
 * and the tables of all of them.
 *
 * @param datasets built-in class lists, each a run in a folder of its name
 * @param architectures trained on the base class and on the best tricks; the other sets train {@code resnet50} alone, or the first
 * @param scale how many images
 * @param recipe {@code quick}, {@code paper} or {@code repo}
 * @param epochs in place of the recipe's
 * @param seeds of every training
 * @param model {@code embedded}, a folder or a file
 * @param ema which of the model's weights
 * @param precision the model computes in
 * @param size width and height of the drawn images; by default the model's own
 * @param storedSize of the images to learn from; by default the real ones', unless the drawn ones are smaller
 * @param steps of the sampler; by default the paper's 40
 * @param preset whom to follow where the paper and its code differ
 * @param real the real test images of each dataset, as {@link dev.motley.dataset.RealData#open} takes them
 */
public record Paper(
    List<String> datasets,
    List<String> architectures,
    PaperScale scale,
    String recipe,
    Optional<Integer> epochs,
    List<Long> seeds,
    String model,
    Ema ema,
    Precision precision,
    Optional<Integer> size,
    Optional<Integer> storedSize,
    Optional<Integer> steps,
    Fidelity preset,
    Map<String, String> real) {

  /** Copies the lists. */
  public Paper {
    datasets = List.copyOf(datasets);
    architectures = List.copyOf(architectures);
    seeds = List.copyOf(seeds);
    real = Map.copyOf(real);
    if (datasets.isEmpty() || datasets.stream().distinct().count() < datasets.size()) {
      throw new InvalidInputException("expected one or more datasets, each once, found " + datasets);
    }
    for (String dataset : real.keySet()) {
      if (!datasets.contains(dataset)) {
        throw new InvalidInputException("real images are given for '%s', which is not among the datasets %s".formatted(dataset, datasets));
      }
    }
  }

  /**
   * What came of it.
   *
   * @param trainings of all datasets
   * @param tables with running statistics
   * @param page with both statistics
   */
  public record Result(List<Trained> trainings, List<ResultTable> tables, Path page) {}

  /** The paper's architectures that this version has, in its order. */
  public static List<String> knownArchitectures() {
    return PaperNumbers.read().architectures().stream().filter(Recipe.ARCHITECTURES::contains).toList();
  }

  /** The run of one dataset. */
  public RunConfig config(String dataset, Embedded embedded) {
    return new PaperSets(this, dataset, embedded).config();
  }

  /**
   * Draws, trains and tests all of it, or what is left of it; after each dataset {@code tables.md}, {@code tables.csv} and {@code
   * tables.html} are written.
   *
   * @param folder of everything
   * @param listener hears every step of every stage; may stop
   * @throws dev.motley.CancelledException if the listener stopped it; what was done is kept
   * @throws InvalidInputException if some real images are missing or do not fit, or a training cannot be, before anything is written
   */
  public Result execute(Embedded embedded, Path folder, ProgressListener listener) {
    var configs = new LinkedHashMap<String, RunConfig>();
    for (String dataset : datasets) {
      RunConfig config = config(dataset, embedded);
      Run.requirePossible(config, embedded);
      configs.put(dataset, config);
    }
    var trained = new ArrayList<Trained>();
    configs.forEach(
        (dataset, config) -> {
          ProgressListener hears =
              progress -> listener.onProgress(progress.subject().isEmpty() ? progress : progress.on(dataset + ", " + progress.subject()));
          trained.addAll(Run.execute(config, embedded, folder.resolve(dataset), hears).trainings());
          write(trained, folder);
        });
    return new Result(List.copyOf(trained), tables(trained), folder.resolve("tables.html"));
  }

  private static void write(List<Trained> trained, Path folder) {
    List<ResultTable> both = TablePage.tables(trained);
    AtomicFile.write(folder.resolve("tables.md"), TableText.markdown(both));
    AtomicFile.write(folder.resolve("tables.csv"), TableText.csv(both));
    TablePage.write("The paper's tables", trained, folder.resolve("tables.html"));
  }

  private static List<ResultTable> tables(List<Trained> trained) {
    return Tables.of(trained, BatchNormMode.RUNNING);
  }
}
