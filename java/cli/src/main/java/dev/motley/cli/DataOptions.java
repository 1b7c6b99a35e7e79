// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.dataset.TrainingSet;
import dev.motley.ffi.PackedPixels;
import dev.motley.image.Resize;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** What is trained on. */
final class DataOptions {
  private static final int MEGABYTE = 1_000_000;

  @Option(
      names = "--data",
      split = ",",
      paramLabel = "DATA",
      description = {
        "Synthetic stores, real sets as for 'evaluate', or both. Required but for --print-recipe.",
        "DATA@0.5 takes half, DATA@2000 so many, evenly over classes, tricks, domains; DATA@train 80 %%."
      })
  private List<String> data = List.of();

  @Option(
      names = "--max-per-class",
      paramLabel = "N",
      defaultValue = "0",
      converter = Numbers.Count.class,
      description = "Most images of each class, evenly over DATA, tricks, domains. Default: ${DEFAULT-VALUE}, all.")
  private int maxPerClass;

  @Option(
      names = "--data-seed",
      paramLabel = "N",
      defaultValue = "0",
      converter = Numbers.Seed.class,
      description = "Which images, where not all are taken. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--stored-size",
      paramLabel = "PIXELS",
      defaultValue = "0",
      converter = Numbers.Count.class,
      description = "Resize to this when read; 0: as they are. Default: ${DEFAULT-VALUE}.")
  private int size;

  @Option(
      names = "--resize",
      paramLabel = "FILTER",
      defaultValue = "bilinear_aa",
      description = "As for 'generate'. Default: ${DEFAULT-VALUE}.")
  private String resize;

  boolean isEmpty() {
    return data.isEmpty();
  }

  TrainingSet load() {
    return TrainingSet.load(data, new TrainingSet.Options(maxPerClass, seed, size, Resize.Filter.named(resize)));
  }

  /** What each set gave, where there is more to say than that all of one was taken; and where the pixels are, if not in memory. */
  static String summary(TrainingSet data) {
    boolean plain =
        data.sources().size() == 1 && data.sources().stream().allMatch(s -> s.used() == s.held() && s.unreadable() == 0);
    String sources = plain ? "" : data.sources().stream().map(DataOptions::line).collect(Collectors.joining());
    PackedPixels pixels = data.images().pixels();
    return pixels.isMapped()
        ? sources + "the pixels, %,d MB, are kept in %s%n".formatted(Math.ceilDiv(pixels.size(), MEGABYTE), pixels.storage().folder())
        : sources;
  }

  private static String line(TrainingSet.Source source) {
    String unreadable = source.unreadable() == 0 ? "" : ", %,d could not be read".formatted(source.unreadable());
    return "%s: %s, %,d of %,d images%s%n"
        .formatted(source.spec(), source.format(), source.used(), source.held(), unreadable);
  }

  /** How many images of each class the safety checker had left out; nothing where none are. */
  static String leftOut(Map<String, Integer> counts) {
    return counts.isEmpty()
        ? ""
        : counts.entrySet().stream()
            .map(one -> one.getKey() + " " + one.getValue())
            .collect(Collectors.joining(", ", " (left out by the safety checker: ", ")"));
  }
}
