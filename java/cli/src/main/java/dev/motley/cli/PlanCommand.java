// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.PlannedImage;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code motley plan}. */
@Command(
    name = "plan",
    mixinStandardHelpOptions = true,
    description = "Shows what 'generate' would draw, before anything runs: counts, prompts, seconds, bytes.",
    footer = {"", "Example: ./motley plan --classes cifar10 --tricks all-combined --list 8"})
final class PlanCommand implements Callable<Integer> {
  private final Context context;

  @Mixin private PlanOptions planOptions;
  @Mixin private ModelOptions model;

  @Option(
      names = "--list",
      paramLabel = "N",
      defaultValue = "0",
      converter = Numbers.Count.class,
      description = "Also list the first N images. Default: ${DEFAULT-VALUE}.")
  private int list;

  @Option(names = "--json", description = "Print the plan's canonical JSON instead.")
  private boolean json;

  @Option(
      names = "--rate",
      paramLabel = "X",
      defaultValue = "10",
      converter = Numbers.Rate.class,
      description = "Guided images per second, for the estimate. Default: ${DEFAULT-VALUE}, the embedded model's on two cores.")
  private double rate;

  @Option(
      names = "--stored-size",
      paramLabel = "PIXELS",
      defaultValue = "0",
      converter = Numbers.Count.class,
      description = "Size in the store, for the estimate; 0: as drawn. Default: ${DEFAULT-VALUE}.")
  private int storedSize;

  PlanCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    GenerationPlan plan = planOptions.plan(model);
    model.warn(plan, context.err());
    PrintWriter out = context.out();
    if (json) {
      out.println(plan.toJson());
      return 0;
    }
    int width = storedSize == 0 ? plan.spec().width() : storedSize;
    int height = storedSize == 0 ? plan.spec().height() : storedSize;
    out.print(plan.summary().text(rate, width, height));
    for (int i = 0; i < Math.min(list, plan.size()); i++) {
      PlannedImage image = plan.image(i);
      out.printf("%s  guidance %.2f  \"%s\"%n", image.key(), image.guidance(), image.prompt());
    }
    out.flush();
    return 0;
  }
}
