// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** When native objects made through JavaCPP are freed. */
final class Scopes {

  private Scopes() {}

  /**
   * Runs a block whose intermediates die with it, while its result passes to the enclosing scope.
   *
   * @param block computes one tensor
   * @return that tensor, owned by the scope that was open before
   */
  static Tensor freeing(Supplier<Tensor> block) {
    PointerScope outer = PointerScope.getInnerScope();
    if (outer == null) {
      throw new IllegalStateException("eager code must run inside a PointerScope");
    }
    try (PointerScope inner = new PointerScope()) {
      // A handle of its own: an operator in place gives a borrowed one that ends with its owner.
      Tensor result = new Tensor(block.get());
      outer.attach(result);
      return result;
    }
  }
}
