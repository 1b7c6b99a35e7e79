// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.util.List;

/**
 * A tensor of a classifier.
 *
 * @param name torchvision's name
 * @param type the type of its elements
 * @param trainable true for a parameter, false for a buffer
 * @param head whether it is of the layer that makes the logits
 * @param shape torchvision's shape, for example OIHW
 */
public record TensorInfo(String name, DType type, boolean trainable, boolean head, List<Long> shape) {

  /** Copies the shape. */
  public TensorInfo {
    shape = List.copyOf(shape);
  }

  /**
   * Returns the number of elements.
   *
   * @return the product of the shape
   */
  public int elements() {
    return Sizes.length(name, shape.stream().mapToLong(Long::longValue).toArray());
  }
}
