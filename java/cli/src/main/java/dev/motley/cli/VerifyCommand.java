// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.dataset.StoreReport;
import dev.motley.dataset.SyntheticStore;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code motley verify}. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description = "Reads every byte of a store and compares it with its journal and plan; exit code 1 if something is wrong; being incomplete is not.",
    footer = {"", "Example: ./motley verify runs/demo/base-class/images"})
final class VerifyCommand implements Callable<Integer> {
  private final Context context;

  @Parameters(paramLabel = "STORE", description = "Folder of a synthetic store.")
  private Path folder;

  @Option(
      names = "--repair",
      description = "Cut a damaged store before the first image that is not whole; 'generate' draws the rest again.")
  private boolean repair;

  VerifyCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    StoreReport report = repair ? SyntheticStore.repair(folder) : SyntheticStore.verify(folder);
    context.out().print(report.text());
    context.out().flush();
    return (report.isSound() ? Exit.OK : Exit.FAILURE).code();
  }
}
