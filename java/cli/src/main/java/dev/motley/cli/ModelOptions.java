// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.dataset.SafetyPolicy;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.diffusion.SamplingOptions;
import dev.motley.tricks.ClassList;
import dev.motley.tricks.GenerationPlan;
import dev.motley.weights.Checkpoint;
import dev.motley.weights.Ema;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Which diffusion model. */
final class ModelOptions {

  @Option(
      names = "--model",
      paramLabel = "PATH",
      description =
          "A latent diffusion model: a folder in diffusers' layout, or Stable Diffusion v1 as one .safetensors or .ckpt file. Default: the embedded model of clothes.")
  private Optional<Path> model = Optional.empty();

  @Option(
      names = "--precision",
      paramLabel = "fp32|bf16|fp16",
      defaultValue = "fp32",
      description = "What the networks compute in. Default: ${DEFAULT-VALUE}.")
  private String precision;

  @Option(
      names = "--ema",
      negatable = true,
      description =
          "The UNet's averaged weights, or with --no-ema those it was averaged from, of a model that holds both. Default: what a file gives under the usual names.")
  private Optional<Boolean> averaged = Optional.empty();

  /** The path as it was typed; empty for the embedded model. */
  Optional<Path> given() {
    return model;
  }

  Path path() {
    return model.orElseGet(Home::model);
  }

  Ema ema() {
    return ConvertCommand.ema(averaged);
  }

  Precision precision() {
    return Precision.named(precision);
  }

  /**
   * Refuses more DDIM steps than the model's schedule has room for, before anything has begun.
   *
   * @param name of the option or key that says how many
   */
  void requireSteps(String name, int steps) {
    int most = Checkpoint.maxSteps(path());
    if (steps < 1 || steps > most) {
      throw new InvalidInputException("%s must be from 1 to %d for this model, got %d".formatted(name, most, steps));
    }
  }

  /** Says so where the embedded model is asked for what it never learnt: it draws something all the same. */
  void warn(GenerationPlan plan, PrintWriter err) {
    if (model.isPresent()) {
      return;
    }
    List<String> learnt = ClassList.preset("fashion-mnist").labels();
    plan.spec().classes().labels().stream()
        .filter(label -> !learnt.contains(label))
        .findFirst()
        .ifPresent(
            label ->
                err.printf("motley: warning: the embedded model draws clothes only, not '%s': give --model for other classes%n", label));
  }

  /**
   * The size to draw at, before the model is loaded.
   *
   * @param options by which it is given
   * @return what was given, for the rest the size that the model was trained for
   * @throws InvalidInputException if the model's files do not say that
   */
  PixelSize size(String options, Optional<Integer> width, Optional<Integer> height) {
    if (width.isPresent() && height.isPresent()) {
      return new PixelSize(width.get(), height.get());
    }
    int usual =
        Checkpoint.nativeSize(path())
            .orElseThrow(
                () -> new InvalidInputException("%s: does not say which size it was trained for: give %s".formatted(path(), options)));
    return new PixelSize(width.orElse(usual), height.orElse(usual));
  }

  /** For pictures like that; without its safety checker. */
  DiffusionPipeline load(Context context, SamplingOptions wanted) {
    return load(context, SafetyPolicy.OFF, wanted);
  }

  /** With its safety checker, where the policy needs one. */
  DiffusionPipeline load(Context context, SafetyPolicy safety, SamplingOptions wanted) {
    return context.work(
        listener ->
            DiffusionPipeline.load(path(), precision(), ema(), safety != SafetyPolicy.OFF, List.of(wanted), listener));
  }
}
