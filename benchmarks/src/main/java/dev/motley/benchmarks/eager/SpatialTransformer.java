// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import dev.motley.benchmarks.eager.Layers.Conv;
import dev.motley.benchmarks.eager.Layers.GroupNorm;
import dev.motley.benchmarks.eager.Layers.LayerNorm;
import dev.motley.benchmarks.eager.Layers.Linear;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** diffusers' Transformer2DModel of one BasicTransformerBlock. */
record SpatialTransformer(
    GroupNorm norm,
    UnaryOperator<Tensor> projIn,
    LayerNorm norm1,
    Attention self,
    LayerNorm norm2,
    Attention cross,
    LayerNorm norm3,
    Linear feedIn,
    Linear feedOut,
    UnaryOperator<Tensor> projOut,
    boolean linearProjection) {

  private static final double NORM_EPS = 1e-6;
  private static final double LAYER_NORM_EPS = 1e-5;

  static SpatialTransformer of(
      Parameters parameters, String name, long heads, long groups, boolean linearProjection) {
    String block = name + ".transformer_blocks.0";
    return new SpatialTransformer(
        parameters.groupNorm(name + ".norm", groups, NORM_EPS),
        projection(parameters, name + ".proj_in", linearProjection),
        parameters.layerNorm(block + ".norm1", LAYER_NORM_EPS),
        Attention.of(parameters, block + ".attn1", heads),
        parameters.layerNorm(block + ".norm2", LAYER_NORM_EPS),
        Attention.of(parameters, block + ".attn2", heads),
        parameters.layerNorm(block + ".norm3", LAYER_NORM_EPS),
        parameters.linear(block + ".ff.net.0.proj"),
        parameters.linear(block + ".ff.net.2"),
        projection(parameters, name + ".proj_out", linearProjection),
        linearProjection);
  }

  private static UnaryOperator<Tensor> projection(
      Parameters parameters, String name, boolean linear) {
    if (linear) {
      return parameters.linear(name)::apply;
    }
    Conv conv = parameters.conv(name, 1, 0);
    return conv::apply;
  }

  /**
   * @param x (n, c, h, w)
   * @param context (n, tokens, context width)
   */
  Tensor apply(Tensor x, Tensor context) {
    return Scopes.freeing(
        () -> {
          long[] shape = x.shape();
          Tensor tokens =
              linearProjection
                  ? projIn.apply(tokens(norm.apply(x), shape))
                  : tokens(projIn.apply(norm.apply(x)), shape);
          Tensor mixed = transform(tokens, context);
          Tensor out =
              linearProjection
                  ? picture(projOut.apply(mixed), shape)
                  : projOut.apply(picture(mixed, shape));
          return out.add(x);
        });
  }

  private Tensor transform(Tensor tokens, Tensor context) {
    Tensor normed = norm1.apply(tokens);
    Tensor h = self.apply(normed, normed).add_(tokens);
    h = cross.apply(norm2.apply(h), context).add_(h);
    TensorVector halves = torch.chunk(feedIn.apply(norm3.apply(h)), 2, -1);
    return feedOut.apply(halves.get(0).mul(torch.gelu(halves.get(1)))).add_(h);
  }

  private static Tensor tokens(Tensor x, long[] shape) {
    return x.permute(0, 2, 3, 1).reshape(shape[0], shape[2] * shape[3], shape[1]);
  }

  /** Back to (n, c, h, w), channels last without a copy. */
  private static Tensor picture(Tensor tokens, long[] shape) {
    return tokens.view(shape[0], shape[2], shape[3], shape[1]).permute(0, 3, 1, 2);
  }
}
