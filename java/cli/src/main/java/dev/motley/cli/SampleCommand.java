// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.InvalidInputException;
import dev.motley.MotleyException;
import dev.motley.MotleyVersion;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.diffusion.ImageRequest;
import dev.motley.diffusion.NoiseGenerator;
import dev.motley.diffusion.Pictures;
import dev.motley.diffusion.Quality;
import dev.motley.diffusion.SamplingOptions;
import dev.motley.files.AtomicFile;
import dev.motley.image.Png;
import dev.motley.image.RgbImage;
import dev.motley.tricks.GuidanceRule;
import dev.motley.tricks.PlanSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code motley sample}. */
@Command(
    name = "sample",
    mixinStandardHelpOptions = true,
    description = "Draws one picture.",
    footer = {"", "Example: ./motley sample --prompt 'a painting of a dress' --guidance 3 --out runs/dress.png"})
final class SampleCommand implements Callable<Integer> {
  private final Context context;

  @Mixin private ModelOptions model;

  @Option(names = "--prompt", required = true, paramLabel = "TEXT", description = "What the picture shows.")
  private String prompt;

  @Option(
      names = "--negative-prompt",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "What it shall not show. Default: nothing.")
  private String negativePrompt;

  @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Of the noise. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--rng",
      paramLabel = "philox|torch",
      defaultValue = "philox",
      description = "torch: the noise that diffusers draws for that seed on a CPU. Default: ${DEFAULT-VALUE}.")
  private NoiseGenerator rng;

  @Option(
      names = "--guidance",
      paramLabel = "X",
      defaultValue = "" + GuidanceRule.COMPVIS_DEFAULT,
      converter = Numbers.Guidance.class,
      description = "From 0 to " + ImageRequest.MAX_GUIDANCE + "; 1 is none. Default: ${DEFAULT-VALUE}.")
  private double guidance;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "" + PlanSpec.PAPER_STEPS,
      description = "DDIM steps. Default: ${DEFAULT-VALUE}.")
  private int steps;

  @Option(
      names = "--eta",
      paramLabel = "X",
      defaultValue = "0",
      converter = Numbers.Eta.class,
      description = "DDIM's eta, from 0 to " + ImageRequest.MAX_ETA + ". Default: ${DEFAULT-VALUE}.")
  private double eta;

  @Option(
      names = "--width",
      paramLabel = "PIXELS",
      converter = Numbers.Positive.class,
      description = "Default: what the model was trained for.")
  private Optional<Integer> width = Optional.empty();

  @Option(
      names = "--height",
      paramLabel = "PIXELS",
      converter = Numbers.Positive.class,
      description = "Default: what the model was trained for.")
  private Optional<Integer> height = Optional.empty();

  @Option(names = "--out", required = true, paramLabel = "FILE.png", description = "Where to write the picture.")
  private Path out;

  SampleCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    if (!out.toString().toLowerCase(java.util.Locale.ROOT).endsWith(".png")) {
      throw new InvalidInputException("--out must name a .png file, got " + out);
    }
    if (Files.isDirectory(out)) {
      throw new InvalidInputException("--out must name a .png file, " + out + " is a folder");
    }
    model.requireSteps("--steps", steps);
    var request = new ImageRequest(prompt, negativePrompt, (float) guidance, (float) eta, rng, seed, 0);
    try (DiffusionPipeline pipeline = model.load()) {
      var options =
          new SamplingOptions(
              width.orElse(pipeline.nativeSize()), height.orElse(pipeline.nativeSize()), steps, false);
      Pictures pictures = context.work(listener -> pipeline.draw(List.of(request), options, listener));
      if (pictures.quality().getFirst() == Quality.NOT_FINITE) {
        throw new MotleyException("the picture came out with values that are not finite; nothing was written");
      }
      var image = new RgbImage(pictures.height(), pictures.width(), pictures.picture(0));
      AtomicFile.write(out, Png.encode(image, texts(pipeline.modelHash(), options)));
      context.out().println(out);
    }
    return 0;
  }

  private Map<String, String> texts(String modelHash, SamplingOptions options) {
    var texts = new LinkedHashMap<String, String>();
    texts.put("Software", "motley " + MotleyVersion.current());
    texts.put("prompt", prompt);
    texts.put("negative_prompt", negativePrompt);
    texts.put("guidance", Double.toString(guidance));
    texts.put("seed", Long.toString(seed));
    texts.put("rng", rng.name().toLowerCase(java.util.Locale.ROOT));
    texts.put("steps", Integer.toString(steps));
    texts.put("eta", Double.toString(eta));
    texts.put("size", options.width() + "x" + options.height());
    texts.put("precision", model.precision().id());
    texts.put("model", modelHash);
    return texts;
  }
}
