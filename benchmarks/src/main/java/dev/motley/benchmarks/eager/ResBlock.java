// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import dev.motley.benchmarks.eager.Layers.Conv;
import dev.motley.benchmarks.eager.Layers.GroupNorm;
import dev.motley.benchmarks.eager.Layers.Linear;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/** diffusers' ResnetBlock2D, with or without a time embedding. */
record ResBlock(
    GroupNorm norm1,
    Conv conv1,
    Optional<Linear> timeProjection,
    GroupNorm norm2,
    Conv conv2,
    Optional<Conv> shortcut) {

  static ResBlock of(Parameters parameters, String name, long groups, double eps) {
    String time = name + ".time_emb_proj";
    String shortcut = name + ".conv_shortcut";
    return new ResBlock(
        parameters.groupNorm(name + ".norm1", groups, eps),
        parameters.conv(name + ".conv1", 1, 1),
        parameters.has(time + ".weight") ? Optional.of(parameters.linear(time)) : Optional.empty(),
        parameters.groupNorm(name + ".norm2", groups, eps),
        parameters.conv(name + ".conv2", 1, 1),
        parameters.has(shortcut + ".weight")
            ? Optional.of(parameters.conv(shortcut, 1, 0))
            : Optional.empty());
  }

  /**
   * @param x (n, c, h, w)
   * @param time SiLU of the time embedding (n, width); not looked at by a block without projection
   */
  Tensor apply(Tensor x, Optional<Tensor> time) {
    return Scopes.freeing(
        () -> {
          Tensor h = conv1.apply(norm1.silu(x));
          timeProjection.ifPresent(
              projection -> h.add_(projection.apply(time.orElseThrow()).unsqueeze(-1).unsqueeze(-1)));
          Tensor out = conv2.apply(norm2.silu(h));
          return out.add_(shortcut.map(conv -> conv.apply(x)).orElse(x));
        });
  }
}
