// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import dev.motley.benchmarks.eager.Layers.BatchNorm;
import dev.motley.benchmarks.eager.Layers.Conv;
import dev.motley.benchmarks.eager.Layers.GroupNorm;
import dev.motley.benchmarks.eager.Layers.LayerNorm;
import dev.motley.benchmarks.eager.Layers.Linear;
import dev.motley.weights.DType;
import dev.motley.weights.TensorView;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A network's weights as libtorch tensors of one element type. Makes the layers that use them, and frees all of
 * them.
 */
final class Parameters implements AutoCloseable {

  private static final double BATCH_NORM_MOMENTUM = 0.1;
  private static final double BATCH_NORM_EPS = 1e-5;

  private final MemoryFormat format;
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private final List<Pointer> kept = new ArrayList<>();

  /** Copies weights, in float32. */
  Parameters(Map<String, TensorView> weights, MemoryFormat format) {
    this(weights, format, ScalarType.Float);
  }

  /**
   * Copies weights; integers, which only count batches, are left out.
   *
   * @param weights by name
   * @param format of convolution weights
   * @param type of the tensors' elements
   */
  Parameters(Map<String, TensorView> weights, MemoryFormat format, ScalarType type) {
    this.format = format;
    try (PointerScope scope = new PointerScope()) {
      weights.forEach(
          (name, view) -> {
            if (view.dtype() != DType.I64) {
              tensors.put(name, keep(tensor(view, format, type)));
            }
          });
    }
  }

  private static Tensor tensor(TensorView view, MemoryFormat format, ScalarType type) {
    Tensor tensor = Tensor.create(view.toFloats(), view.shape()).to(type);
    return view.shape().length == 4 ? tensor.contiguous(format) : tensor;
  }

  private <P extends Pointer> P keep(P pointer) {
    pointer.retainReference();
    kept.add(pointer);
    return pointer;
  }

  /** What convolutions compute in. */
  MemoryFormat format() {
    return format;
  }

  /** Makes all but the running statistics leaves of autograd's graph: in the given order, owned by these. */
  List<Tensor> trainable() {
    return tensors.entrySet().stream()
        .filter(entry -> !entry.getKey().contains(".running_"))
        .map(entry -> (Tensor) entry.getValue().set_requires_grad(true))
        .toList();
  }

  boolean has(String name) {
    return tensors.containsKey(name);
  }

  Tensor get(String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalArgumentException("no tensor " + name);
    }
    return tensor;
  }

  private TensorOptional optional(String name) {
    try (PointerScope scope = new PointerScope()) {
      return keep(has(name) ? new TensorOptional(get(name)) : new TensorOptional());
    }
  }

  private TensorOptional required(String name) {
    get(name);
    return optional(name);
  }

  Conv conv(String name, long stride, long padding) {
    return conv(name, stride, padding, 1);
  }

  /** A convolution that filters each channel by itself. */
  Conv depthwise(String name, long stride, long padding) {
    return conv(name, stride, padding, get(name + ".weight").size(0));
  }

  private Conv conv(String name, long stride, long padding, long groups) {
    return new Conv(
        get(name + ".weight"),
        optional(name + ".bias"),
        new long[] {stride, stride},
        new long[] {padding, padding},
        groups);
  }

  Linear linear(String name) {
    return new Linear(get(name + ".weight"), optional(name + ".bias"));
  }

  GroupNorm groupNorm(String name, long groups, double eps) {
    return new GroupNorm(required(name + ".weight"), required(name + ".bias"), groups, eps);
  }

  LayerNorm layerNorm(String name, double eps) {
    long[] shape = {get(name + ".weight").numel()};
    return new LayerNorm(required(name + ".weight"), required(name + ".bias"), shape, eps);
  }

  BatchNorm batchNorm(String name) {
    return batchNorm(name, BATCH_NORM_MOMENTUM, BATCH_NORM_EPS);
  }

  BatchNorm batchNorm(String name, double momentum, double eps) {
    return new BatchNorm(
        required(name + ".weight"),
        required(name + ".bias"),
        required(name + ".running_mean"),
        required(name + ".running_var"),
        momentum,
        eps);
  }

  @Override
  public void close() {
    kept.forEach(Pointer::releaseReference);
    kept.clear();
    tensors.clear();
  }
}
