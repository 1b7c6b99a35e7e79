// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.motley.DropRates;
import dev.motley.InvalidInputException;
import dev.motley.Normalisation;
import dev.motley.Stem;
import dev.motley.config.Names;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

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
  private static void addWhatOlderFilesLack(ObjectNode classifier) {
    JsonNodeFactory json = JsonNodeFactory.instance;
    classifier.putIfAbsent("stem", json.textNode(Stem.IMAGENET.name()));
    classifier.putIfAbsent("rates", json.objectNode().put("dropout", DropRates.PUBLISHED).put("stochasticDepth", DropRates.PUBLISHED));
    classifier.putIfAbsent("pictureSize", json.numberNode(classifier.path("imageSize").asInt()));
    classifier.putIfAbsent("resize", json.numberNode(0));
    classifier.putIfAbsent("testInTraining", json.booleanNode(false));
  }

  private record Stored(String format, ClassifierSpec classifier) {}

  Map<String, String> toMetadata() {
    var metadata = new TreeMap<String, String>();
    metadata.put("format", "pt");
    metadata.put(KEY, MetadataJson.write(new Stored(FORMAT, this)));
    return metadata;
  }

  static ClassifierSpec fromMetadata(Path file, Map<String, String> metadata) {
    String text = metadata.get(KEY);
    if (text == null) {
      throw new InvalidInputException(
          file + " is not a classifier that Motley wrote: its metadata has no \"" + KEY + "\" entry");
    }
    ObjectNode stored = MetadataJson.parse(file, KEY, text);
    String format = stored.path("format").asText(FORMAT);
    if (!format.equals(FORMAT)) {
      throw new InvalidInputException(file + " has format " + Names.printable(format) + ", expected " + FORMAT);
    }
    if (stored.get("classifier") instanceof ObjectNode classifier) {
      addWhatOlderFilesLack(classifier);
    }
    return MetadataJson.read(file, KEY, stored, Stored.class).classifier();
  }
}
