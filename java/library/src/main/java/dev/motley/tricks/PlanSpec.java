// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.InvalidInputException;
import dev.motley.diffusion.ImageRequest;
import java.util.List;
import java.util.Map;

/**
 * Everything that decides what a {@link GenerationPlan} holds. Start from {@link #of(DatasetPreset,
 * Fidelity)} or {@link #of(ClassList, Fidelity)} and change parts with the {@code with} methods.
 *
 * @param fidelity the preset the spec began from, for the record
 * @param classes the classes
 * @param prompts how prompts are worded
 * @param mix images per class and trick
 * @param guidance guidance scales
 * @param sampling noise and sampler
 * @param width width of the drawn images, in pixels
 * @param height height of the drawn images, in pixels
 * @param rounding how decoded values become bytes
 */
public record PlanSpec(
    Fidelity fidelity,
    ClassList classes,
    PromptStyle prompts,
    TrickMix mix,
    GuidanceRule guidance,
    Sampling sampling,
    int width,
    int height,
    PixelRounding rounding) {

  /** The paper's number of DDIM steps, for all its synthetic images. */
  public static final int PAPER_STEPS = 40;

  /** Stable Diffusion's autoencoder shrinks by 8; every known model's latents fit a multiple. */
  private static final int SIZE_MULTIPLE = 8;

  /** The largest width and height of a drawn or stored image, in pixels. */
  public static final int LARGEST_SIZE = 1 << 14;

  /** The most DDIM steps: as many timesteps as models are trained with. A model's own limit may be lower. */
  public static final int MAX_STEPS = 1000;

  /**
   * The noise an image begins from and how it is denoised.
   *
   * @param seed the dataset's seed
   * @param noise which images share noise
   * @param source the generator
   * @param steps DDIM steps, at least 1
   * @param eta DDIM's eta in [0, 1]; 0 in the paper
   */
  public record Sampling(long seed, NoiseSharing noise, NoiseSource source, int steps, double eta) {

    /** Checks the ranges. */
    public Sampling {
      if (steps < 1 || steps > MAX_STEPS) {
        throw new InvalidInputException("steps must be from 1 to %d, found %d".formatted(MAX_STEPS, steps));
      }
      if (!(eta >= 0 && eta <= ImageRequest.MAX_ETA)) {
        throw new InvalidInputException("eta must be from 0 to %d, found %s".formatted(ImageRequest.MAX_ETA, eta));
      }
    }
  }

  /** Checks the size. */
  public PlanSpec {
    requireSize("width", width);
    requireSize("height", height);
  }

  private static void requireSize(String what, int value) {
    if (value < SIZE_MULTIPLE || value % SIZE_MULTIPLE != 0 || value > LARGEST_SIZE) {
      throw new InvalidInputException(
          "%s must be a multiple of %d from %d to %d, found %d"
              .formatted(what, SIZE_MULTIPLE, SIZE_MULTIPLE, LARGEST_SIZE, value));
    }
  }

  /**
   * A known dataset: the base class alone, with the paper's number of images.
   *
   * @param dataset the dataset
   * @param fidelity whom to follow
   * @return the spec
   */
  public static PlanSpec of(DatasetPreset dataset, Fidelity fidelity) {
    return new PlanSpec(
        fidelity,
        dataset.classes(),
        fidelity.prompts(dataset.prompts()),
        TrickMix.only(Trick.BASE_CLASS, dataset.perClass()),
        fidelity.guidance(),
        new Sampling(fidelity.seed(), fidelity.noise(), NoiseSource.PHILOX, PAPER_STEPS, 0),
        dataset.drawnSize(),
        dataset.drawnSize(),
        fidelity.rounding());
  }

  /**
   * A dataset of one's own: the paper's prompts and domains for things, articles by sound, the base
   * class alone with 1,000 images of every class at 512x512.
   *
   * @param classes the classes
   * @param fidelity whom to follow
   * @return the spec
   */
  public static PlanSpec of(ClassList classes, Fidelity fidelity) {
    PromptStyle prompts = PromptStyle.objects().with(Articles.BY_SOUND);
    return of(
        new DatasetPreset(
            classes,
            prompts,
            1000,
            512,
            64,
            true,
            java.util.EnumSet.allOf(Trick.class),
            TrickMix.union(List.of(Trick.values()), 1000)),
        fidelity);
  }

  /**
   * Reads a spec from a tree of maps, lists, strings, numbers and booleans, as a YAML or JSON
   * parser gives. {@link PlanSpecReader} describes its keys; {@link #toTree} writes one.
   *
   * @param tree the tree
   * @return the spec
   * @throws InvalidInputException if a key is unknown or a value is not as expected; names the key
   */
  public static PlanSpec fromTree(Map<String, ?> tree) {
    return PlanSpecReader.read(tree);
  }

  /**
   * Writes the whole spec, defaults included, as a tree that {@link #fromTree} reads back.
   *
   * @return maps, lists, strings and numbers
   */
  public Map<String, Object> toTree() {
    return PlanSpecReader.write(this);
  }

  /**
   * The same with another mix of tricks.
   *
   * @param mix the mix
   * @return the changed spec
   */
  public PlanSpec with(TrickMix mix) {
    return new PlanSpec(
        fidelity, classes, prompts, mix, guidance, sampling, width, height, rounding);
  }

  /**
   * The same with other prompts.
   *
   * @param prompts the wording
   * @return the changed spec
   */
  public PlanSpec with(PromptStyle prompts) {
    return new PlanSpec(
        fidelity, classes, prompts, mix, guidance, sampling, width, height, rounding);
  }

  /**
   * The same with other guidance.
   *
   * @param guidance the scales
   * @return the changed spec
   */
  public PlanSpec with(GuidanceRule guidance) {
    return new PlanSpec(
        fidelity, classes, prompts, mix, guidance, sampling, width, height, rounding);
  }

  /**
   * The same with other noise or steps.
   *
   * @param sampling noise and sampler
   * @return the changed spec
   */
  public PlanSpec with(Sampling sampling) {
    return new PlanSpec(
        fidelity, classes, prompts, mix, guidance, sampling, width, height, rounding);
  }

  /**
   * The same with another seed.
   *
   * @param seed the dataset's seed
   * @return the changed spec
   */
  public PlanSpec withSeed(long seed) {
    return with(new Sampling(seed, sampling.noise, sampling.source, sampling.steps, sampling.eta));
  }

  /**
   * The same with another number of steps.
   *
   * @param steps DDIM steps
   * @return the changed spec
   */
  public PlanSpec withSteps(int steps) {
    return with(new Sampling(sampling.seed, sampling.noise, sampling.source, steps, sampling.eta));
  }

  /**
   * The same with another image size.
   *
   * @param width in pixels, a multiple of 8
   * @param height in pixels, a multiple of 8
   * @return the changed spec
   */
  public PlanSpec withSize(int width, int height) {
    return new PlanSpec(
        fidelity, classes, prompts, mix, guidance, sampling, width, height, rounding);
  }

  /**
   * The same with another rounding.
   *
   * @param rounding how decoded values become bytes
   * @return the changed spec
   */
  public PlanSpec with(PixelRounding rounding) {
    return new PlanSpec(
        fidelity, classes, prompts, mix, guidance, sampling, width, height, rounding);
  }
}
