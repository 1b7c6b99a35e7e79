// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

/**
 * The safety checker that a diffusers folder may hold.
 *
 * @param config shape of its vision tower
 * @param part its tensors by transformers' classic names: {@code vision_model.vision_model.*}, {@code visual_projection.weight}, {@code
 *     concept_embeds}, {@code concept_embeds_weights}, {@code special_care_embeds}, {@code special_care_embeds_weights}
 */
public record SafetyCheckerWeights(VisionConfig config, Part part) {}
