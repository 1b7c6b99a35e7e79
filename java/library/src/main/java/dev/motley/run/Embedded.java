// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import java.nio.file.Path;

/**
 * What {@code embedded} stands for in a {@link RunConfig}, so that a config holds on every machine.
 *
 * @param model a latent diffusion model in diffusers' folder layout
 * @param realImages a data set, as {@link dev.motley.dataset.RealData#open} takes it
 */
public record Embedded(Path model, Path realImages) {

  /** What lies in a checkout of Motley: the model of clothes and Fashion-MNIST. */
  public static Embedded in(Path checkout) {
    return new Embedded(checkout.resolve("models/clothes"), checkout.resolve("models/fashion-mnist"));
  }
}
