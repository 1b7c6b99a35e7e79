// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.Precision;
import dev.motley.diffusion.DiffusionPipeline;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Which diffusion model. */
final class ModelOptions {

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "A latent diffusion model in diffusers' folder layout. Default: the embedded model of clothes.")
  private Optional<Path> model = Optional.empty();

  @Option(
      names = "--precision",
      paramLabel = "fp32|bf16",
      defaultValue = "fp32",
      description = "What the networks compute in. Default: ${DEFAULT-VALUE}.")
  private String precision;

  Path folder() {
    return model.orElseGet(Home::model);
  }

  Precision precision() {
    return Precision.named(precision);
  }

  DiffusionPipeline load() {
    return DiffusionPipeline.load(folder(), precision());
  }
}
