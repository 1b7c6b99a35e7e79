// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.dataset.DatasetGenerator;
import dev.motley.dataset.GenerationResult;
import dev.motley.dataset.GeneratorOptions;
import dev.motley.dataset.SafetyPolicy;
import dev.motley.dataset.SafetySummary;
import dev.motley.dataset.SyntheticStore;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.diffusion.Drawing;
import dev.motley.image.Resize;
import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.PlanSpec;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code motley generate}. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    description = "Draws a synthetic data set into a store; run again, it goes on where it stopped.",
    footer = {
      "",
      "Example: ./motley generate --classes fashion-mnist --tricks all-combined \\",
      "           --per-class 25 --out runs/clothes"
    })
final class GenerateCommand implements Callable<Integer> {
  private final Context context;

  @Mixin private PlanOptions planOptions;
  @Mixin private ModelOptions model;

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder of the store.")
  private Path out;

  @Option(
      names = "--batch",
      paramLabel = "N",
      converter = Numbers.Positive.class,
      description = "Images denoised together, which does not change them. Default: 1 at 512x512, more of smaller ones.")
  private Optional<Integer> batch = Optional.empty();

  @Option(
      names = "--stored-size",
      paramLabel = "PIXELS",
      defaultValue = "0",
      converter = Numbers.Count.class,
      description = "Resize to this before storing; 0: as drawn. Default: ${DEFAULT-VALUE}.")
  private int storedSize;

  @Option(
      names = "--resize",
      paramLabel = "FILTER",
      defaultValue = "bilinear_aa",
      description = "bilinear, bilinear_aa, bicubic, bicubic_aa, pil_bilinear, pil_bicubic. Default: ${DEFAULT-VALUE}.")
  private String resize;

  @Option(
      names = "--safety",
      paramLabel = "off|flag|drop|redo",
      defaultValue = "off",
      description =
          "What becomes of pictures that the model's safety checker flags: kept and marked, left out and noted, or drawn again with the next seed. All is recorded. Default: ${DEFAULT-VALUE}.")
  private String safety;

  @Option(names = "--reuse", split = ",", paramLabel = "DIR", description = "Copy images from these stores where they are equal.")
  private List<Path> reuse = List.of();

  GenerateCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    Resize.Filter filter = Resize.Filter.named(resize);
    SafetyPolicy policy = SafetyPolicy.named(safety);
    GenerationPlan plan = planOptions.plan(model);
    model.warn(plan, context.err());
    List<SyntheticStore> stores = reuse.stream().map(SyntheticStore::open).toList();
    try (DiffusionPipeline pipeline = model.load(context, policy, DatasetGenerator.sampling(plan.spec()))) {
      var options = new GeneratorOptions(together(plan.spec()), storedSize, filter, model.precision(), policy, stores);
      GenerationResult result =
          context.work(
              listener -> DatasetGenerator.generate(plan, pipeline, out, options, listener));
      context
          .out()
          .printf(
              "%,d images in %s: %,d drawn now (%.1f a second), %,d copied, %,d there before, %,d drawn again%n",
              result.images(),
              out,
              result.drawn(),
              result.drawn() / Math.max(1e-9, result.seconds()),
              result.copied(),
              result.resumed(),
              result.redone());
      result.safety().ifPresent(summary -> print(context.out(), summary));
    }
    return 0;
  }

  private int together(PlanSpec spec) {
    return batch.orElse(Drawing.usualBatch(spec.width(), spec.height()));
  }

  private static void print(PrintWriter out, SafetySummary summary) {
    out.println(summary.text());
    summary.classTexts().forEach(one -> out.println("  " + one));
  }
}
