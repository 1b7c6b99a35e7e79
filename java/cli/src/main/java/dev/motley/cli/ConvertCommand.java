// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.InvalidInputException;
import dev.motley.diffusion.ModelConverter;
import dev.motley.weights.Checkpoint;
import dev.motley.weights.DType;
import dev.motley.weights.Ema;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code motley convert}. */
@Command(
    name = "convert",
    mixinStandardHelpOptions = true,
    description = "Writes a diffusion model anew, in either layout, as safetensors.",
    footer = {"", "Example: ./motley convert sd-v1-4.ckpt --to diffusers --dtype fp16 --out models/sd14"})
final class ConvertCommand implements Callable<Integer> {
  private final Context context;

  @Parameters(paramLabel = "MODEL", description = "A folder in diffusers' layout, or Stable Diffusion v1 as one .safetensors or .ckpt file.")
  private Path model;

  @Option(
      names = "--to",
      required = true,
      paramLabel = "diffusers|ldm",
      description = "A folder with configurations, or a single file of the latent diffusion code (Stable Diffusion v1 only).")
  private ModelConverter.Layout layout;

  @Option(names = "--out", required = true, paramLabel = "PATH", description = "The folder or file to write.")
  private Path out;

  @Option(
      names = "--dtype",
      paramLabel = "fp16|fp32|bf16|keep",
      defaultValue = "keep",
      description = "Of the weights, rounded to the nearest number. Default: ${DEFAULT-VALUE}, as they are.")
  private String dtype;

  @Option(names = "--ema", negatable = true, description = "As in 'sample': the UNet's averaged weights, or those before averaging.")
  private Optional<Boolean> averaged = Optional.empty();

  @Option(names = "--force", description = "Replace a model that is there already.")
  private boolean force;

  ConvertCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    Optional<DType> type = type();
    try (Checkpoint checkpoint = Checkpoint.open(model, ema(averaged))) {
      if (layout == ModelConverter.Layout.LDM && checkpoint.hasSafetyChecker()) {
        context.err().println("motley: warning: a single file has no place for the safety checker; it is left out");
      }
      context.work(
          listener -> {
            ModelConverter.convert(checkpoint, layout, out, type, force, listener);
            return out;
          });
    }
    context.out().println(out);
    return 0;
  }

  private Optional<DType> type() {
    return switch (dtype) {
      case "keep" -> Optional.empty();
      case "fp16" -> Optional.of(DType.F16);
      case "bf16" -> Optional.of(DType.BF16);
      case "fp32" -> Optional.of(DType.F32);
      default -> throw new InvalidInputException("--dtype must be fp16, fp32, bf16 or keep, got '" + dtype + "'");
    };
  }

  /** What {@code --ema}, {@code --no-ema} or neither of them asks for. */
  static Ema ema(Optional<Boolean> averaged) {
    return averaged.map(yes -> yes ? Ema.AVERAGED : Ema.PLAIN).orElse(Ema.AS_GIVEN);
  }
}
