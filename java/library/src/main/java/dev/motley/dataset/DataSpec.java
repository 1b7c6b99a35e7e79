// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A data set as options name it: {@code [KIND:]PATH[@train|@test][@SHARE]}. A path that is there as it stands is taken as it
 * stands.
 *
 * @param text as it was given
 * @param kind what to read it as; empty: as its files look
 * @param path the path
 * @param part the part asked for; empty: what the purpose needs, or all where there is but one
 * @param share 0 to 1 of the images, evenly over classes; empty: all
 * @param count so many images, evenly over classes; empty: all. Not together with {@code share}
 */
record DataSpec(
    String text,
    Optional<Kind> kind,
    Path path,
    Optional<RealData.Split> part,
    OptionalDouble share,
    OptionalInt count) {

  /** How images are stored. */
  enum Kind {
    STORE,
    IDX,
    CIFAR10,
    CIFAR100,
    FOLDER,
    WEBDATASET
  }

  private static final Pattern KIND = Pattern.compile("(store|idx|cifar10|cifar100|folder|webdataset):(.*)");
  private static final Pattern PART = Pattern.compile("(.+)@(train|test)");
  private static final Pattern SHARE = Pattern.compile("(.+)@(-?[0-9]+|-?[0-9]*\\.[0-9]+)");

  /**
   * Reads a spec.
   *
   * @throws InvalidInputException if it has no path, or a share that is none
   */
  static DataSpec parse(String text) {
    Matcher kind = KIND.matcher(text);
    Optional<Kind> named = Optional.empty();
    String rest = text;
    if (kind.matches()) {
      named = Optional.of(Kind.valueOf(kind.group(1).toUpperCase(java.util.Locale.ROOT)));
      rest = kind.group(2);
    }
    if (rest.isBlank()) {
      throw new InvalidInputException("\"" + text + "\": the path of the images is empty");
    }
    OptionalDouble share = OptionalDouble.empty();
    OptionalInt count = OptionalInt.empty();
    Matcher amount = SHARE.matcher(rest);
    if (!isThere(rest) && amount.matches()) {
      rest = amount.group(1);
      if (amount.group(2).contains(".")) {
        share = OptionalDouble.of(fraction(text, amount.group(2)));
      } else {
        count = OptionalInt.of(images(text, amount.group(2)));
      }
    }
    Optional<RealData.Split> part = Optional.empty();
    Matcher split = PART.matcher(rest);
    if (!isThere(rest) && split.matches()) {
      rest = split.group(1);
      part = Optional.of(split.group(2).equals("test") ? RealData.Split.TEST : RealData.Split.TRAIN);
    }
    return new DataSpec(text, named, path(rest), part, share, count);
  }

  /** Whether it names a synthetic store. */
  boolean isStore() {
    return kind.map(k -> k == Kind.STORE).orElseGet(() -> Files.exists(path.resolve(StoreHeader.FILE)));
  }

  /** Whether only some of the images are asked for. */
  boolean isPartial() {
    return share.isPresent() || count.isPresent();
  }

  private static double fraction(String text, String number) {
    double value = Double.parseDouble(number);
    if (!(value > 0 && value <= 1)) {
      throw new InvalidInputException(
          "\"%s\": share %s, expected more than 0.0 and at most 1.0 (a number without a point counts images)"
              .formatted(text, number));
    }
    return value;
  }

  private static int images(String text, String number) {
    try {
      int value = Integer.parseInt(number);
      if (value >= 1) {
        return value;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw new InvalidInputException(
        "\"%s\": %s images, expected 1 to %d, or a share such as 0.5".formatted(text, number, Integer.MAX_VALUE));
  }

  private static boolean isThere(String text) {
    try {
      return Files.exists(Path.of(text));
    } catch (InvalidPathException e) {
      return false; // said where it is opened
    }
  }

  private static Path path(String text) {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new InvalidInputException("\"" + text + "\" is not a path: " + e.getReason(), e);
    }
  }
}
