// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.results.Trained;
import dev.motley.run.Run;
import dev.motley.run.RunConfig;
import dev.motley.run.RunConfig.SetConfig;
import dev.motley.run.RunResult;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code motley run}. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    description = "Generates, trains and tests as a YAML file says, and writes a report; run again, it goes on.",
    footer = {
      "",
      "The resolved config is written beside the results; running that file gives the same images bit for bit.",
      "Example: ./motley run examples/clothes.yaml --out runs/clothes-tricks"
    })
final class RunCommand implements Callable<Integer> {
  private final Context context;

  @Parameters(paramLabel = "CONFIG.yaml", description = "What to do; docs/config.md explains every key.")
  private Path file;

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder for everything the run makes.")
  private Path out;

  RunCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    execute(context, RunConfig.read(file, Home.embedded()), out);
    return 0;
  }

  /** Carries a config out and prints what came of it. */
  static void execute(Context context, RunConfig config, Path out) {
    RunResult outcome =
        context.work(listener -> Run.execute(config, Home.embedded(), out, listener));
    context.out().println();
    for (SetConfig set : config.sets()) {
      for (String architecture : set.architectures()) {
        List<Trained> alike = outcome.of(set, architecture);
        context.out().println(config.recipes().size() == 1 ? set.name() : set.name() + ", " + architecture);
        if (alike.size() == 1) {
          EvaluateCommand.line(context.out(), "  running statistics", alike.getFirst().evaluation().running());
          EvaluateCommand.line(context.out(), "  batch statistics", alike.getFirst().evaluation().batchStatistics());
        } else {
          TrainCommand.spread(context.out(), alike);
        }
      }
    }
    context.out().println("report: " + outcome.report());
    context.out().flush();
  }
}
