// SPDX-License-Identifier: Apache-2.0
package dev.motley.config;

import dev.motley.InvalidInputException;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** Looks things up by name; a name that is not there is one error that offers the nearest. */
public final class Names {

  /** At most this share of a name, and in any case two letters, may be wrong for an offer. */
  private static final double NEAR = 0.4;

  /** Longer lists of choices are not printed beside an offer. */
  private static final int FEW = 20;

  /** Letters from which on the beginning of a name is taken for it. */
  private static final int SHORTEST_BEGINNING = 3;

  private Names() {}

  /**
   * Finds a choice by its name.
   *
   * @throws InvalidInputException if there is none of that name; the nearest are offered
   */
  public static <T> T find(String what, String name, List<T> choices, Function<T, String> nameOf) {
    for (T choice : choices) {
      if (nameOf.apply(choice).equals(name)) {
        return choice;
      }
    }
    throw new InvalidInputException(unknown(what, name, choices.stream().map(nameOf).toList()));
  }

  /** The message for a name that is not known. */
  public static String unknown(String what, String name, List<String> known) {
    String plain = plain(name);
    List<String> near =
        known.stream()
            .filter(k -> beginsWith(k, plain) || distance(plain, plain(k)) <= Math.max(2, NEAR * plain.length()))
            .sorted(Comparator.comparingInt(k -> distance(plain, plain(k))))
            .limit(2)
            .map(k -> "'" + k + "'")
            .toList();
    String offer = near.isEmpty() ? "" : "; did you mean " + String.join(" or ", near) + "?";
    String all =
        known.size() > FEW && !near.isEmpty() ? "" : " (known: " + String.join(", ", known) + ")";
    return "unknown " + what + " '" + printable(name) + "'" + offer + all;
  }

  /**
   * The name on one line that moves no cursor and turns no text around: control and format characters and the separators of lines and
   * paragraphs are written as {@code \\uXXXX}.
   */
  public static String printable(String name) {
    var out = new StringBuilder();
    for (char c : name.toCharArray()) {
      out.append(moves(c) ? String.format("\\u%04x", (int) c) : String.valueOf(c));
    }
    return out.toString();
  }

  private static boolean moves(char c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> true;
      default -> false;
    };
  }

  private static boolean beginsWith(String known, String plain) {
    return plain.length() >= SHORTEST_BEGINNING && plain(known).startsWith(plain);
  }

  private static String plain(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll("[\\s_-]", "");
  }

  /** Levenshtein distance in UTF-16 units. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
