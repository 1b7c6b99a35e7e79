// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.diffusion.PictureTexts;
import dev.motley.image.Png;
import dev.motley.image.Resize;
import dev.motley.image.RgbImage;
import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.PlannedImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The stores that one drawing fills: of the same pictures, resized by different filters. After a kill one may be ahead of another;
 * the work then begins where the last one stands, and those ahead let pass what they have.
 */
final class StoreTargets implements AutoCloseable {
  private final GenerationPlan plan;
  private final String modelHash;
  private final List<Target> targets = new ArrayList<>();

  private record Target(StoreWriter writer, GeneratorOptions options, Map<String, Object> config, int from) {
    boolean lacks(int index) {
      return index >= from;
    }
  }

  /**
   * Opens all of them, or none.
   *
   * @param filters of the stores, by folder
   */
  StoreTargets(
      GenerationPlan plan,
      String modelHash,
      Map<Path, Resize.Filter> filters,
      GeneratorOptions options,
      Optional<String> checker) {
    this.plan = plan;
    this.modelHash = modelHash;
    try {
      filters.forEach((folder, filter) -> targets.add(open(folder, options.withFilter(filter), checker)));
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private Target open(Path folder, GeneratorOptions options, Optional<String> checker) {
    Map<String, Object> config = options.imageConfig(plan.spec(), checker);
    StoreWriter writer = SyntheticStore.create(folder, StoreHeader.of(plan, modelHash, config, options.versions()));
    return new Target(writer, options, config, writer.nextPosition());
  }

  /** Whether images can be copied from stores of the same config: of several targets there is no one config. */
  boolean takeCopies() {
    return targets.size() == 1;
  }

  /** What beside plan and model decides the bytes, of the first. */
  Map<String, Object> config() {
    return targets.getFirst().config();
  }

  /** The first image that one of them lacks. */
  int nextPosition() {
    return targets.stream().mapToInt(target -> target.writer().nextPosition()).min().orElseThrow();
  }

  /** Stores a picture as it was drawn. */
  void append(int index, PlannedImage image, RgbImage picture, byte[] json) {
    for (Target target : targets) {
      if (target.lacks(index)) {
        var texts = PictureTexts.of(target.options().parameters(plan.spec(), image, modelHash));
        byte[] png = Png.encode(target.options().stored(picture), texts);
        target.writer().append(index, image.key(), png, json);
      }
    }
  }

  /** Stores a copy as it is. */
  void append(int index, String key, byte[] png, byte[] json) {
    targets.getFirst().writer().append(index, key, png, json);
  }

  void drop(int index, String key, List<Attempt> attempts) {
    for (Target target : targets) {
      if (target.lacks(index)) {
        target.writer().drop(index, key, attempts);
      }
    }
  }

  void commit() {
    targets.forEach(target -> target.writer().commit());
  }

  /** Closes all, also where one fails. */
  @Override
  public void close() {
    close(targets);
  }

  private static void close(List<Target> open) {
    if (!open.isEmpty()) {
      try (StoreWriter _ = open.getFirst().writer()) {
        close(open.subList(1, open.size()));
      }
    }
  }
}
