// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One image to draw. Everything but the position follows from the spec and the key, so the same
 * image in another plan has the same values.
 *
 * @param position where it stands in its whole plan, from 0
 * @param key its name, unique in the plan: trick, class index and ordinal, for example {@code
 *     multi-domain-003-000017}
 * @param ordinal its number among the images of its trick and class, from 0
 * @param classIndex the label
 * @param className the class's prompt spelling
 * @param folder the class's folder spelling
 * @param trick the trick
 * @param domain the domain; empty for every trick but multi-domain
 * @param prompt the prompt
 * @param negativePrompt what guidance leads away from; empty for the plain unconditional prompt
 * @param guidance the guidance scale; exactly 1 needs no unconditional pass
 * @param seed the seed of the noise: the dataset's for Philox, one per image for torch's generator
 * @param noiseKey the Philox stream: below 2^50, equal for images that share their noise
 * @param width in pixels
 * @param height in pixels
 */
public record PlannedImage(
    int position,
    String key,
    int ordinal,
    int classIndex,
    String className,
    String folder,
    Trick trick,
    String domain,
    String prompt,
    String negativePrompt,
    float guidance,
    long seed,
    long noiseKey,
    int width,
    int height) {

  /**
   * What is worth keeping beside the image's pixels: all but the position, which belongs to the
   * plan.
   *
   * @return names and values, in a fixed order
   */
  public Map<String, Object> metadata() {
    var map = new LinkedHashMap<String, Object>();
    map.put("key", key);
    map.put("label", classIndex);
    map.put("class", className);
    map.put("folder", folder);
    map.put("trick", trick.id());
    map.put("ordinal", ordinal);
    if (!domain.isEmpty()) {
      map.put("domain", domain);
    }
    map.put("prompt", prompt);
    map.put("negative", negativePrompt);
    map.put("guidance", Double.parseDouble(Float.toString(guidance)));
    map.put("seed", seed);
    map.put("noise-key", noiseKey);
    map.put("width", width);
    map.put("height", height);
    return map;
  }

  /** The same image with another seed. */
  PlannedImage withSeed(long other) {
    return new PlannedImage(
        position,
        key,
        ordinal,
        classIndex,
        className,
        folder,
        trick,
        domain,
        prompt,
        negativePrompt,
        guidance,
        other,
        noiseKey,
        width,
        height);
  }

  /** The same image at another position. */
  PlannedImage at(int other) {
    return new PlannedImage(
        other,
        key,
        ordinal,
        classIndex,
        className,
        folder,
        trick,
        domain,
        prompt,
        negativePrompt,
        guidance,
        seed,
        noiseKey,
        width,
        height);
  }
}
