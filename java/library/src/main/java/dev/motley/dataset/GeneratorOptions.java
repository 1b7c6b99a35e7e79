// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.MotleyVersion;
import dev.motley.Precision;
import dev.motley.diffusion.NoiseGenerator;
import dev.motley.diffusion.PictureParameters;
import dev.motley.image.Resize;
import dev.motley.image.RgbImage;
import dev.motley.tricks.NoiseSource;
import dev.motley.tricks.PlanSpec;
import dev.motley.tricks.PlannedImage;
import dev.motley.weights.Ema;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * How a plan is carried out.
 *
 * @param batch images denoised together; does not change them
 * @param storedSize width and height in the store, in pixels; 0 keeps the drawn size
 * @param filter how they are resized
 * @param precision the pipeline computes in, for the record: it is part of what decides the bytes
 * @param safety what becomes of pictures that the model's safety checker flags; part of what decides the bytes, too
 * @param reuse stores to copy equal images from instead of drawing them
 * @param overlap whether a batch is decoded and written while the next one is denoised, by as many threads again; the images are the
 *     same without
 */
public record GeneratorOptions(
    int batch,
    int storedSize,
    Resize.Filter filter,
    Precision precision,
    SafetyPolicy safety,
    List<SyntheticStore> reuse,
    boolean overlap) {

  /** Of small models; {@link dev.motley.diffusion.Drawing#usualBatch} tells that of a size. */
  public static final int DEFAULT_BATCH = 50;

  /** The largest batch: the writer holds a few of them. */
  public static final int MAX_BATCH = StoreWriter.WINDOW / 4;

  public GeneratorOptions {
    reuse = List.copyOf(reuse);
    if (batch < 1 || batch > MAX_BATCH) {
      throw new InvalidInputException("batch must be from 1 to %d, got %d".formatted(MAX_BATCH, batch));
    }
    if (storedSize < 0 || storedSize > PlanSpec.LARGEST_SIZE) {
      throw new InvalidInputException(
          "stored size must be from 0 to %d pixels, got %d".formatted(PlanSpec.LARGEST_SIZE, storedSize));
    }
  }

  /** With each batch finished before the next one begins: on two threads it takes no longer, and less memory. */
  public GeneratorOptions(
      int batch, int storedSize, Resize.Filter filter, Precision precision, SafetyPolicy safety, List<SyntheticStore> reuse) {
    this(batch, storedSize, filter, precision, safety, reuse, false);
  }

  /** The drawn size, float32, nothing checked, nothing reused, batches for small models: see {@link #withBatch}. */
  public static GeneratorOptions standard() {
    return new GeneratorOptions(
        DEFAULT_BATCH, 0, Resize.Filter.BILINEAR_AA, Precision.FP32, SafetyPolicy.OFF, List.of());
  }

  /** The same with images copied from other stores where they are equal. */
  public GeneratorOptions reusing(List<SyntheticStore> stores) {
    return new GeneratorOptions(batch, storedSize, filter, precision, safety, stores, overlap);
  }

  /** The same with other batches. */
  public GeneratorOptions withBatch(int images) {
    return new GeneratorOptions(images, storedSize, filter, precision, safety, reuse, overlap);
  }

  /** The same with another way to the stored size. */
  GeneratorOptions withFilter(Resize.Filter other) {
    return new GeneratorOptions(batch, storedSize, other, precision, safety, reuse, overlap);
  }

  /** The same with each batch decoded and written while the next one is denoised: for machines with more processors than threads. */
  public GeneratorOptions overlapping() {
    return new GeneratorOptions(batch, storedSize, filter, precision, safety, reuse, true);
  }

  /** The same with another safety policy. */
  public GeneratorOptions withSafety(SafetyPolicy policy) {
    return new GeneratorOptions(batch, storedSize, filter, precision, policy, reuse, overlap);
  }

  /**
   * What beside plan and model decides the bytes of an image, or whether it is there.
   *
   * @param checker identifies the safety checker; empty where nothing is checked, and then it says nothing of safety, so that such a
   *     store is the same as one from before there was a choice
   */
  Map<String, Object> imageConfig(PlanSpec spec, Optional<String> checker) {
    var config = new TreeMap<String, Object>(imageConfig(spec));
    checker.ifPresent(
        hash -> {
          config.put(StoreHeader.SAFETY, safety.id());
          config.put(StoreHeader.SAFETY_CHECKER, hash);
        });
    return config;
  }

  private Map<String, Object> imageConfig(PlanSpec spec) {
    boolean resized = resizes(spec);
    return Map.of(
        "precision", precision.id(),
        "stored-width", resized ? storedSize : spec.width(),
        "stored-height", resized ? storedSize : spec.height(),
        "resize", resized ? filter.id() : "none");
  }

  /** What a stored picture says of itself, so that it can be made again wherever it is copied to. */
  PictureParameters parameters(PlanSpec spec, PlannedImage image, String modelHash) {
    Optional<PictureParameters.Stored> stored =
        resizes(spec) ? Optional.of(new PictureParameters.Stored(storedSize, storedSize, filter)) : Optional.empty();
    return new PictureParameters(
        List.of(image.prompt()),
        image.negativePrompt(),
        Double.parseDouble(Float.toString(image.guidance())),
        spec.sampling().eta(),
        spec.sampling().source() == NoiseSource.PHILOX ? NoiseGenerator.PHILOX : NoiseGenerator.TORCH,
        image.seed(),
        image.noiseKey(),
        DatasetGenerator.sampling(spec),
        Optional.empty(),
        Optional.empty(),
        stored,
        new PictureParameters.Model(modelHash, Optional.empty(), Ema.AS_GIVEN, precision));
  }

  private boolean resizes(PlanSpec spec) {
    return storedSize != 0 && (storedSize != spec.width() || storedSize != spec.height());
  }

  Map<String, Object> versions() {
    return Map.of("motley", MotleyVersion.current());
  }

  RgbImage stored(RgbImage drawn) {
    boolean same = storedSize == 0 || (drawn.width() == storedSize && drawn.height() == storedSize);
    return same ? drawn : drawn.resized(storedSize, storedSize, filter);
  }
}
