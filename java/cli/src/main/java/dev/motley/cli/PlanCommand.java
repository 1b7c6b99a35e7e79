// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.PlanSpec;
import dev.motley.tricks.PlannedImage;
import dev.motley.weights.Checkpoint;
import java.io.PrintWriter;
import java.util.Optional;
import java.util.OptionalDouble;
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
  /** Guided images of 40 steps a second: the embedded model's on two cores with AVX2. */
  private static final double EMBEDDED_RATE = 10;

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
      converter = Numbers.Rate.class,
      description =
          "Guided images of 40 steps per second, for the estimate; 'bench' measures it. Default: 10 for the embedded model at its own size, as on two cores; else unknown.")
  private Optional<Double> rate = Optional.empty();

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
    OptionalDouble known = rate(plan.spec());
    out.print(plan.summary().text(known, width, height));
    if (known.isEmpty()) {
      out.printf("%-18s %s%n", "rate", measuring(plan.spec()));
    }
    for (int i = 0; i < Math.min(list, plan.size()); i++) {
      PlannedImage image = plan.image(i);
      out.printf("%s  guidance %.2f  \"%s\"%n", image.key(), image.guidance(), image.prompt());
    }
    out.flush();
    return 0;
  }

  /** The given rate, else the embedded model's where the plan is for that. */
  private OptionalDouble rate(PlanSpec spec) {
    if (rate.isPresent()) {
      return OptionalDouble.of(rate.get());
    }
    int size = Checkpoint.nativeSize(Home.model()).orElseThrow();
    return model.given().isEmpty() && spec.width() == size && spec.height() == size
        ? OptionalDouble.of(EMBEDDED_RATE)
        : OptionalDouble.empty();
  }

  /** How to come to know the rate. */
  private String measuring(PlanSpec spec) {
    String options = model.given().map(path -> " --model " + path).orElse("") + " --precision " + model.precision().id();
    return "measure by: ./motley bench%s --size %dx%d; then give --rate".formatted(options, spec.width(), spec.height());
  }
}
