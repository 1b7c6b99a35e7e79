// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import java.util.Optional;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * How an eager classifier computes.
 *
 * @param type what everything is computed in
 * @param stochastic whether training has the dropout and the stochastic depth of the network as published, or none
 * @param format of convolutions; the one that measured faster if empty
 */
public record EagerOptions(ScalarType type, boolean stochastic, Optional<MemoryFormat> format) {

  /** As published, in float32. */
  public static final EagerOptions PUBLISHED =
      new EagerOptions(ScalarType.Float, true, Optional.empty());

  /** Every training step gives the same: for comparisons. */
  public static EagerOptions deterministic(ScalarType type) {
    return new EagerOptions(type, false, Optional.empty());
  }

  /** The same but for the memory format. */
  public EagerOptions in(MemoryFormat other) {
    return new EagerOptions(type, stochastic, Optional.of(other));
  }
}
