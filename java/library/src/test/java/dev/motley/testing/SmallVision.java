// SPDX-License-Identifier: Apache-2.0
package dev.motley.testing;

import dev.motley.weights.TensorView;
import dev.motley.weights.VisionConfig;
import java.util.LinkedHashMap;
import java.util.Map;

/** A vision encoder of random weights: pictures of 28x28 to 32 values. */
public final class SmallVision {
  public static final VisionConfig CONFIG = new VisionConfig(28, 7, 48, 3, 4, 96, 32, "quick_gelu", 1e-5);

  private SmallVision() {}

  /** By the names of CLIPVisionModelWithProjection; may be changed. */
  public static Map<String, TensorView> tensors() {
    return new LinkedHashMap<>(Golden.read("clip_vision_small").weights("clip_vision."));
  }
}
