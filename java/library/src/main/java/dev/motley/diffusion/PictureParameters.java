// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.image.Resize;
import dev.motley.weights.Ema;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Everything that decides a drawn picture, or a sheet of them. {@link PictureTexts} keeps it in PNG files, {@link Drawing} draws it.
 *
 * @param prompts one, or one for each row of a sheet
 * @param negativePrompt what guidance leads away from
 * @param guidance scale
 * @param eta DDIM's
 * @param rng the generator of the noise
 * @param seed of the noise; of a sheet, its first picture's
 * @param noiseKey stream of the noise within the seed
 * @param sampling size of each picture, steps, rounding, strength
 * @param begin the picture to begin from
 * @param grid shape of a sheet
 * @param stored size that the picture was resized to at last
 * @param model what drew it
 */
public record PictureParameters(
    List<String> prompts,
    String negativePrompt,
    double guidance,
    double eta,
    NoiseGenerator rng,
    long seed,
    long noiseKey,
    SamplingOptions sampling,
    Optional<Begin> begin,
    Optional<Grid> grid,
    Optional<Stored> stored,
    Model model) {

  /**
   * A picture to begin from.
   *
   * @param path as it was given
   * @param sha256 of the file, in hexadecimal
   */
  public record Begin(String path, String sha256) {}

  /**
   * The shape of a sheet of pictures. With one prompt, every picture has the next seed; with several, each has a row, and the rows
   * have the same seeds.
   *
   * @param columns pictures in a row
   * @param rows of pictures
   */
  public record Grid(int columns, int rows) {}

  /**
   * A size after drawing.
   *
   * @param width in pixels
   * @param height in pixels
   * @param filter that resized it
   */
  public record Stored(int width, int height, Resize.Filter filter) {}

  /**
   * A model.
   *
   * @param hash of all in it that decides a picture, see {@link DiffusionPipeline#modelHash}
   * @param path as it was given; empty for one that need not be named
   * @param ema which of its weights
   * @param precision it computes in
   */
  public record Model(String hash, Optional<String> path, Ema ema, Precision precision) {}

  public PictureParameters {
    prompts = List.copyOf(prompts);
    int rows = grid.map(Grid::rows).orElse(1);
    if (prompts.isEmpty() || (prompts.size() > 1 && prompts.size() != rows)) {
      throw new InvalidInputException("%d prompts for %d rows: expected one, or one a row".formatted(prompts.size(), rows));
    }
  }

  /** The same as a sheet. */
  public PictureParameters with(Grid shape) {
    return new PictureParameters(
        prompts, negativePrompt, guidance, eta, rng, seed, noiseKey, sampling, begin, Optional.of(shape), stored, model);
  }

  /** The same, drawn by another model. */
  public PictureParameters with(Model other) {
    return new PictureParameters(
        prompts, negativePrompt, guidance, eta, rng, seed, noiseKey, sampling, begin, grid, stored, other);
  }

  /** The same, begun from another picture. */
  public PictureParameters with(Optional<Begin> other) {
    return new PictureParameters(
        prompts, negativePrompt, guidance, eta, rng, seed, noiseKey, sampling, other, grid, stored, model);
  }

  /** The pictures of a sheet, row by row, or this one alone. */
  public List<PictureParameters> pictures() {
    if (grid.isEmpty()) {
      return List.of(this);
    }
    Grid shape = grid.get();
    boolean rows = prompts.size() > 1;
    return IntStream.range(0, Math.multiplyExact(shape.columns, shape.rows))
        .mapToObj(
            i -> single(prompts.get(rows ? i / shape.columns : 0), seed + (rows ? i % shape.columns : i)))
        .toList();
  }

  private PictureParameters single(String prompt, long own) {
    return new PictureParameters(
        List.of(prompt), negativePrompt, guidance, eta, rng, own, noiseKey, sampling, begin, Optional.empty(), stored, model);
  }

  /** What the sampler is asked for; of a single picture. */
  public ImageRequest request() {
    if (grid.isPresent()) {
      throw new IllegalStateException("a sheet is several pictures");
    }
    return new ImageRequest(prompts.getFirst(), negativePrompt, (float) guidance, (float) eta, rng, seed, noiseKey);
  }
}
