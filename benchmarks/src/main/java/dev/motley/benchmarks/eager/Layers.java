// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** The layers that the networks are made of, each a call of the libtorch function of its name. */
final class Layers {

  private static final long[] ONE = {1, 1};

  private Layers() {}

  /**
   * @param weight (out, in / groups, kh, kw)
   */
  record Conv(Tensor weight, TensorOptional bias, long[] stride, long[] padding, long groups) {

    Tensor apply(Tensor x) {
      return torch.conv2d(x, weight, bias, stride, padding, ONE, groups);
    }
  }

  /**
   * @param weight (out, in)
   */
  record Linear(Tensor weight, TensorOptional bias) {

    Tensor apply(Tensor x) {
      return torch.linear(x, weight, bias);
    }
  }

  record GroupNorm(TensorOptional weight, TensorOptional bias, long groups, double eps) {

    Tensor apply(Tensor x) {
      return torch.group_norm(x, groups, weight, bias, eps, false);
    }

    Tensor silu(Tensor x) {
      return torch.silu_(apply(x));
    }
  }

  record LayerNorm(TensorOptional weight, TensorOptional bias, long[] shape, double eps) {

    Tensor apply(Tensor x) {
      return torch.layer_norm(x, shape, weight, bias, eps, false);
    }
  }

  record BatchNorm(
      TensorOptional weight,
      TensorOptional bias,
      TensorOptional mean,
      TensorOptional variance,
      double momentum,
      double eps) {

    Tensor apply(Tensor x, boolean training) {
      return torch.batch_norm(x, weight, bias, mean, variance, training, momentum, eps, false);
    }
  }
}
