// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.BatchNormMode;
import dev.motley.files.AtomicFile;
import dev.motley.report.TablePage;
import dev.motley.results.ResultTable;
import dev.motley.results.TableText;
import dev.motley.results.Tables;
import dev.motley.results.Trainings;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code motley tables}. */
@Command(
    name = "tables",
    mixinStandardHelpOptions = true,
    description = {
      "Makes the paper's Tables 2 and 3 of the trainings in some folders, and tables of their form for other data sets.",
      "Each cell: mean and standard deviation over seeds, 95 %% interval, the difference to a base class of the same resize and",
      "as many images, the paper's own number. What is not run yet is shown as such."
    },
    footer = {"", "Example: ./motley tables runs/paper --format csv --out runs/paper.csv"})
final class TablesCommand implements Callable<Integer> {
  private final Context context;

  @Parameters(arity = "1..*", paramLabel = "DIR", description = "Folders of 'run', 'train' and 'paper', with all that lies in them.")
  private List<Path> folders;

  /** How tables are written. */
  enum Form {
    MD,
    CSV
  }

  /** Whose statistics BatchNorm normalises with. */
  enum Statistics {
    RUNNING(BatchNormMode.RUNNING),
    BATCH(BatchNormMode.BATCH);

    private final BatchNormMode mode;

    Statistics(BatchNormMode mode) {
      this.mode = mode;
    }
  }

  @Option(
      names = "--format",
      paramLabel = "md|csv",
      defaultValue = "md",
      description = "Markdown, or CSV with a line for each cell. Default: ${DEFAULT-VALUE}.")
  private Form format;

  @Option(
      names = "--statistics",
      paramLabel = "running|batch",
      defaultValue = "running",
      description = "Of BatchNorm: running, as model.eval() has them, or of each test batch, as the paper's code has. Default: ${DEFAULT-VALUE}.")
  private Statistics statistics;

  @Option(names = "--out", paramLabel = "FILE", description = "Write them to a file instead of the standard output.")
  private Optional<Path> out = Optional.empty();

  @Option(names = "--html", paramLabel = "FILE", description = "Also write a page with the tables in both statistics.")
  private Optional<Path> html = Optional.empty();

  TablesCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    Trainings trainings = Trainings.in(folders);
    trainings.untested().forEach(folder -> context.err().printf("motley: left out, not tested yet: ./motley evaluate --model %s%n", folder));
    List<ResultTable> tables = Tables.of(trainings.tested(), statistics.mode);
    String text = format == Form.MD ? TableText.markdown(tables) : TableText.csv(tables);
    html.ifPresent(file -> TablePage.write("Tables", trainings.tested(), file));
    out.ifPresentOrElse(file -> AtomicFile.write(file, text), () -> context.out().print(text));
    context.out().flush();
    return 0;
  }
}
