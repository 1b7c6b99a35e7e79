// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import dev.motley.DropRates;
import dev.motley.Normalisation;
import dev.motley.Precision;
import dev.motley.Stem;
import dev.motley.config.Names;
import dev.motley.dataset.ClassMatch;
import dev.motley.tricks.ClassList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;

/** The named recipes. */
final class Presets {
  static final List<String> NAMES = List.of("quick", "paper", "repo");

  /** A data set that has no values of its own. */
  static final String OTHER = "other";

  static final List<String> DATASETS =
      Stream.concat(ClassList.presets().stream(), Stream.of(OTHER)).toList();

  /** How many images the published code splits off and then never uses. */
  private static final int HELD_OUT = 10_000;

  private static final String EUROSAT = "eurosat";

  private Presets() {}

  static Recipe named(String name, String architecture, String dataset, int imageSize) {
    return switch (Names.find("recipe", name, NAMES, n -> n)) {
      case "paper" -> paper(architecture, dataset, imageSize);
      case "repo" -> repo(architecture, dataset, imageSize);
      default -> quick(architecture, dataset, imageSize);
    };
  }

  static Recipe quick(String architecture, String dataset, int imageSize) {
    return new Recipe(
        "quick", dataset, architecture, Stem.IMAGENET, DropRates.AS_PUBLISHED, imageSize, 20, 128, 1e-3, 0.05, 0,
        Augmentation.TORCHVISION.withScaleMin(0.35), Normalisation.IMAGENET, false, TrainingOptions.OFF, Precision.FP32, 0);
  }

  static Recipe paper(String architecture, String dataset, int imageSize) {
    return new Recipe(
        "paper", dataset, architecture, Stem.IMAGENET, DropRates.AS_PUBLISHED, imageSize, 200, 128, 2e-4, paperDecay(architecture, dataset), 0,
        Augmentation.TORCHVISION, Normalisation.IMAGENET, false, TrainingOptions.OFF, Precision.FP32, 0);
  }

  static Recipe repo(String architecture, String dataset, int imageSize) {
    boolean satellite = dataset.equals(EUROSAT);
    return new Recipe(
        "repo", dataset, architecture, Stem.IMAGENET, DropRates.AS_PUBLISHED, imageSize, 50, 64, 1e-4, 0.9, HELD_OUT,
        satellite ? Augmentation.SATELLITE : Augmentation.TORCHVISION,
        satellite ? Normalisation.UNIT : Normalisation.IMAGENET,
        true, TrainingOptions.OFF, Precision.FP32, 0);
  }

  private static double paperDecay(String architecture, String dataset) {
    if (architecture.startsWith("mobilenet")) {
      return 0.1;
    }
    return dataset.equals(EUROSAT) ? 0.3 : 0.9;
  }

  /** The built-in list that has these classes, in any order and any spelling that {@link ClassMatch} knows; else {@link #OTHER}. */
  static String datasetOf(Collection<String> classNames) {
    List<String> names = List.copyOf(classNames);
    return ClassList.presets().stream()
        .filter(name -> ClassMatch.indices(ClassList.preset(name).folders(), names).isPresent())
        .findFirst()
        .orElse(OTHER);
  }
}
