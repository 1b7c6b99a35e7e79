// SPDX-License-Identifier: Apache-2.0
package dev.motley;

import java.util.Locale;

/** How a ResNet begins. */
public enum Stem {
  /** Convolution of 7x7 pixels and a maximum over 3x3, both of stride 2, as published for ImageNet: what the paper keeps at 32 pixels. */
  IMAGENET,
  /** Convolution of 3x3 pixels and stride 1, no pooling: as usual for small images. */
  CIFAR;

  /** As configs and options spell it. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Finds a stem.
   *
   * @param id {@code imagenet} or {@code cifar}
   * @throws InvalidInputException if there is none of that name
   */
  public static Stem named(String id) {
    for (Stem stem : values()) {
      if (stem.id().equals(id)) {
        return stem;
      }
    }
    throw new InvalidInputException("unknown stem '" + id + "' (known: imagenet, cifar)");
  }
}
