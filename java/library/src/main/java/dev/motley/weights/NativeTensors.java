// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import dev.motley.ffi.DType;
import dev.motley.ffi.NativeWeights;
import java.util.Collection;
import java.util.function.Function;

/** Hands tensors to the native core, which makes a model of them. */
public final class NativeTensors {
  private NativeTensors() {}

  /**
   * Makes a native model.
   *
   * @param file the tensors are of, for errors
   * @param tensors by the names that the core knows; read while the model is made, when memory holds all copies that strided ones need
   * @param model makes it
   * @return the model, which keeps nothing of the tensors
   * @throws InvalidInputException naming the file, and each tensor that is missing, not the model's, or of another shape or type
   */
  public static <T> T make(
      String file, Collection<TensorView> tensors, Function<NativeWeights, T> model) {
    try (NativeWeights weights = NativeWeights.create()) {
      for (TensorView tensor : tensors) {
        weights.add(tensor.name(), type(tensor), tensor.shape(), tensor.data());
      }
      return model.apply(weights);
    } catch (InvalidInputException e) {
      throw new InvalidInputException(file + ": " + e.getMessage(), e);
    }
  }

  private static DType type(TensorView tensor) {
    return switch (tensor.dtype()) {
      case F32 -> DType.F32;
      case F16 -> DType.F16;
      case BF16 -> DType.BF16;
      case F64 -> DType.F64;
      case I64 -> DType.I64;
      default ->
          throw new InvalidInputException(
              "%s has element type %s, expected F16, BF16, F32, F64 or I64"
                  .formatted(tensor.name(), tensor.dtype()));
    };
  }
}
