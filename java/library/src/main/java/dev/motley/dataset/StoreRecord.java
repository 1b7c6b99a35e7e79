// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.diffusion.Quality;
import dev.motley.tricks.PlannedImage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The JSON beside an image: what was planned, and how often it had to be drawn again. */
public final class StoreRecord {

  private StoreRecord() {}

  /**
   * Forms the JSON of one image: {@link PlannedImage#metadata}, whose {@code seed} is the one that
   * gave the stored pixels, and where it was drawn more than once {@code redone}, one {@code {seed,
   * because}} for each image that was thrown away.
   *
   * @param image the image as it was drawn at last
   * @param redone the attempts before it
   * @return one JSON object and a line feed, in UTF-8, keys sorted
   */
  public static byte[] json(PlannedImage image, List<Redone> redone) {
    Map<String, Object> tree = new LinkedHashMap<>(image.metadata());
    if (!redone.isEmpty()) {
      tree.put(
          "redone",
          redone.stream().map(r -> Map.of("seed", r.seed(), "because", r.because().id())).toList());
    }
    return StoreJson.line(tree);
  }

  /**
   * An attempt that failed the quality check.
   *
   * @param seed the seed it was drawn with
   * @param because what was wrong
   */
  public record Redone(long seed, Quality because) {}
}
