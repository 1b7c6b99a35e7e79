// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.image.RgbImage;
import dev.motley.weights.ModelHash;
import dev.motley.weights.Part;
import dev.motley.weights.SafetyCheckerWeights;
import dev.motley.weights.TensorView;
import dev.motley.weights.VisionConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Stable Diffusion's safety checker, as diffusers' StableDiffusionSafetyChecker: compares a picture's CLIP embedding with those of
 * concepts. It looks and tells, and never changes a picture. It is known for false alarms. Holds native memory: close it. For one
 * thread at a time.
 */
public final class SafetyChecker implements AutoCloseable {
  private static final String CONCEPTS = "concept_embeds";
  private static final String SPECIAL_CARE = "special_care_embeds";

  private final ImageEncoder encoder;
  private final SafetyConcepts concepts;
  private final SafetyConcepts specialCare;
  private final String hash;

  private SafetyChecker(ImageEncoder encoder, SafetyConcepts concepts, SafetyConcepts specialCare, String hash) {
    this.hash = hash;
    this.encoder = encoder;
    this.concepts = concepts;
    this.specialCare = specialCare;
  }

  /**
   * Makes a checker.
   *
   * @param source of the tensors, for errors
   * @param config of its vision encoder
   * @param tensors all of a {@code safety_checker/} folder, by the names in its file; read while the checker is made
   * @param precision what the encoder computes in
   * @throws InvalidInputException naming the source and each tensor that is missing, too many, of another shape or not finite
   */
  public static SafetyChecker of(String source, VisionConfig config, Map<String, TensorView> tensors, Precision precision) {
    return of(new SafetyCheckerWeights(config, new Part("safety_checker", Path.of(source), tensors)), precision);
  }

  /**
   * Makes the checker of a checkpoint.
   *
   * @param checker as {@link dev.motley.weights.Checkpoint#safetyChecker} gives it
   * @param precision what the encoder computes in
   * @throws InvalidInputException as {@link #of(String, VisionConfig, Map, Precision)}
   */
  public static SafetyChecker of(SafetyCheckerWeights checker, Precision precision) {
    String source = checker.part().file().toString();
    VisionConfig config = checker.config();
    Map<String, TensorView> tensors = checker.part().tensors();
    SafetyConcepts concepts = SafetyConcepts.of(source, tensors, CONCEPTS, config.projectionDim());
    SafetyConcepts specialCare = SafetyConcepts.of(source, tensors, SPECIAL_CARE, config.projectionDim());
    Map<String, TensorView> vision = new LinkedHashMap<>(tensors);
    vision.keySet().removeIf(name -> name.startsWith(CONCEPTS) || name.startsWith(SPECIAL_CARE));
    String hash = ModelHash.of(checker); // first, as it brings the pages in
    return new SafetyChecker(ImageEncoder.of(source, config, vision, precision), concepts, specialCare, hash);
  }

  /** SHA-256 of everything in the checker that decides a verdict. */
  public String hash() {
    return hash;
  }

  /**
   * Looks at pictures.
   *
   * @param pictures of any sizes, at least one
   * @return a verdict for each
   */
  public List<SafetyVerdict> check(List<RgbImage> pictures) {
    int width = encoder.width();
    float[] embeddings = encoder.encode(pictures, ClipPreprocessing.CENTRE_CROP);
    return IntStream.range(0, pictures.size())
        .mapToObj(i -> SafetyConcepts.direction(embeddings, i * width, width))
        .map(picture -> SafetyConcepts.judge(picture, specialCare, concepts))
        .toList();
  }

  /** The same for drawn pictures. */
  public List<SafetyVerdict> check(Pictures pictures) {
    return check(pictures.images());
  }

  @Override
  public void close() {
    encoder.close();
  }
}
