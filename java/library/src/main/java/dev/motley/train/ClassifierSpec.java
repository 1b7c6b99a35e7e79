// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.motley.DropRates;
import dev.motley.InvalidInputException;
import dev.motley.Normalisation;
import dev.motley.Stem;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a classifier is and what it takes: kept in the metadata of its safetensors file.
 *
 * @param architecture e.g. {@code resnet50}
 * @param imageSize height and width of what the network sees, in pixels
 * @param classNames in the order of its logits
 * @param normalisation of its input
 * @param stem how it begins, of a ResNet
 * @param rates what it leaves out while it trains
 * @param pictureSize height and width of the images it is given, in pixels; {@code imageSize} where they are taken as they are
 * @param resize length of their shorter side before the centre is taken from them; 0 where they are taken as they are
 * @param testInTraining whether dropout and stochastic depth stay on in tests with batch statistics
 */
public record ClassifierSpec(
    String architecture,
    int imageSize,
    List<String> classNames,
    Normalisation normalisation,
    Stem stem,
    DropRates rates,
    int pictureSize,
    int resize,
    boolean testInTraining) {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String FORMAT = "motley-classifier-1";
  private static final String KEY = "motley";

  public ClassifierSpec {
    classNames = List.copyOf(classNames);
  }

  /** A network that takes images as they are. */
  public ClassifierSpec(String architecture, int imageSize, List<String> classNames, Normalisation normalisation, Stem stem) {
    this(architecture, imageSize, classNames, normalisation, stem, DropRates.AS_PUBLISHED, imageSize, 0, false);
  }

  /** With the stem that every network has. */
  public ClassifierSpec(String architecture, int imageSize, List<String> classNames, Normalisation normalisation) {
    this(architecture, imageSize, classNames, normalisation, Stem.IMAGENET);
  }

  /** What a recipe's network is for. */
  static ClassifierSpec of(Recipe recipe, List<String> classNames) {
    return new ClassifierSpec(
        recipe.architecture(),
        recipe.inputSize(),
        classNames,
        recipe.normalisation(),
        recipe.stem(),
        recipe.rates(),
        recipe.imageSize(),
        recipe.augmentation().resize(),
        recipe.testInTraining());
  }

  /** Files of before these choices say nothing of them. */
  @JsonCreator
  static ClassifierSpec of(
      @JsonProperty("architecture") String architecture,
      @JsonProperty("imageSize") int imageSize,
      @JsonProperty("classNames") List<String> classNames,
      @JsonProperty("normalisation") Normalisation normalisation,
      @JsonProperty("stem") @Nullable Stem stem,
      @JsonProperty("rates") @Nullable DropRates rates,
      @JsonProperty("pictureSize") int pictureSize,
      @JsonProperty("resize") int resize,
      @JsonProperty("testInTraining") boolean testInTraining) {
    return new ClassifierSpec(
        architecture,
        imageSize,
        classNames,
        normalisation,
        stem == null ? Stem.IMAGENET : stem,
        rates == null ? DropRates.AS_PUBLISHED : rates,
        pictureSize == 0 ? imageSize : pictureSize,
        resize,
        testInTraining);
  }

  private record Stored(String format, ClassifierSpec classifier) {}

  Map<String, String> toMetadata() {
    try {
      var metadata = new TreeMap<String, String>();
      metadata.put("format", "pt");
      metadata.put(KEY, JSON.writeValueAsString(new Stored(FORMAT, this)));
      return metadata;
    } catch (JsonProcessingException e) {
      throw new AssertionError(e);
    }
  }

  static ClassifierSpec fromMetadata(Path file, Map<String, String> metadata) {
    String text = metadata.get(KEY);
    if (text == null) {
      throw new InvalidInputException(
          file + " is not a classifier that Motley wrote: its metadata has no \"" + KEY + "\" entry");
    }
    try {
      Stored stored = JSON.readValue(text, Stored.class);
      if (!FORMAT.equals(stored.format())) {
        throw new InvalidInputException(file + " has format " + stored.format() + ", expected " + FORMAT);
      }
      return stored.classifier();
    } catch (JsonProcessingException e) {
      throw new InvalidInputException(file + ": its \"" + KEY + "\" metadata is damaged: " + e.getOriginalMessage());
    }
  }
}
