// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import dev.motley.benchmarks.eager.Layers.Linear;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** diffusers' Attention over scaled_dot_product_attention. */
record Attention(Linear toQ, Linear toK, Linear toV, Linear toOut, long heads) {

  static Attention of(Parameters parameters, String name, long heads) {
    return new Attention(
        parameters.linear(name + ".to_q"),
        parameters.linear(name + ".to_k"),
        parameters.linear(name + ".to_v"),
        parameters.linear(name + ".to_out.0"),
        heads);
  }

  /**
   * @param x (n, tokens, width)
   * @param context (n, context tokens, context width); x itself for self-attention
   * @return as x
   */
  Tensor apply(Tensor x, Tensor context) {
    Tensor q = split(toQ.apply(x));
    Tensor k = split(toK.apply(context));
    Tensor v = split(toV.apply(context));
    Tensor out = torch.scaled_dot_product_attention(q, k, v);
    return toOut.apply(out.transpose(1, 2).reshape(x.size(0), x.size(1), -1));
  }

  /** (n, tokens, width) as (n, heads, tokens, width / heads). */
  private Tensor split(Tensor x) {
    return x.view(x.size(0), x.size(1), heads, x.size(2) / heads).transpose(1, 2);
  }
}
