// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.motley.InvalidInputException;
import dev.motley.Normalisation;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a classifier is and what it takes: kept in the metadata of its safetensors file.
 *
 * @param architecture e.g. {@code resnet50}
 * @param imageSize height and width of its images in pixels
 * @param classNames in the order of its logits
 * @param normalisation of its input
 */
public record ClassifierSpec(
    String architecture, int imageSize, List<String> classNames, Normalisation normalisation) {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String FORMAT = "motley-classifier-1";
  private static final String KEY = "motley";

  public ClassifierSpec {
    classNames = List.copyOf(classNames);
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
