// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names of images: {@code trick-class-ordinal}, with digits enough to sort most sets by name.
 */
final class ImageKey {

  private static final Pattern FORM = Pattern.compile("([a-z-]+)-(\\d{3,5})-(\\d{6,10})");

  private ImageKey() {}

  static String of(TrickSchedule.Entry entry) {
    String classIndex = Integer.toString(entry.classIndex());
    String ordinal = Integer.toString(entry.ordinal());
    return entry.trick().id()
        + '-'
        + "0".repeat(Math.max(0, 3 - classIndex.length()))
        + classIndex
        + '-'
        + "0".repeat(Math.max(0, 6 - ordinal.length()))
        + ordinal;
  }

  static Optional<TrickSchedule.Entry> parse(String key) {
    Matcher form = FORM.matcher(key);
    if (!form.matches() || !Trick.ids().contains(form.group(1))) {
      return Optional.empty();
    }
    long ordinal = Long.parseLong(form.group(3));
    if (ordinal > Integer.MAX_VALUE) {
      return Optional.empty();
    }
    var entry =
        new TrickSchedule.Entry(
            Integer.parseInt(form.group(2)), Trick.named(form.group(1)), (int) ordinal);
    return of(entry).equals(key) ? Optional.of(entry) : Optional.empty();
  }

  /** 16 bits of trick, 16 of class, 32 of ordinal: unique, and below 2^53 for readers of JSON. */
  static long number(TrickSchedule.Entry entry) {
    return (long) entry.trick().ordinal() << 48 | (long) entry.classIndex() << 32 | entry.ordinal();
  }
}
