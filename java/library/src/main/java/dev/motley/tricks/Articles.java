// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.config.Names;
import java.util.List;
import java.util.regex.Pattern;

/** What becomes of an {@code a} that a prompt template puts before a class or a domain. */
public enum Articles {
  /** It stays, as in the paper: {@code an image of a airplane}. */
  AS_WRITTEN("as-written"),
  /** It follows the sound of the next word: {@code an image of an ankle boot}. */
  BY_SOUND("by-sound");

  private static final Pattern VOWEL_LETTER =
      Pattern.compile("^(?:[aeiou8]|1[18](?!\\d)).*", Pattern.CASE_INSENSITIVE);
  private static final Pattern SILENT_H =
      Pattern.compile("^(?:hour|heir|honest|hono).*", Pattern.CASE_INSENSITIVE);

  /** Words such as unicorn, user, European and one-way begin with a consonant's sound. */
  private static final Pattern CONSONANT_SOUND =
      Pattern.compile(
          "^(?:uni(?![nmd])|u[kst][aeiou]|ubiq|ufo|eu|ewe|one\\b|once\\b).*",
          Pattern.CASE_INSENSITIVE);

  private final String id;

  Articles(String id) {
    this.id = id;
  }

  /**
   * Returns the name in files and options.
   *
   * @return {@code as-written} or {@code by-sound}
   */
  public String id() {
    return id;
  }

  static Articles named(String id) {
    return Names.find("article rule", id, List.of(values()), Articles::id);
  }

  /** The article before {@code word} where a template has written {@code written}. */
  String before(String word, String written) {
    if (this == AS_WRITTEN) {
      return written;
    }
    boolean vowel =
        SILENT_H.matcher(word).matches()
            || (VOWEL_LETTER.matcher(word).matches() && !CONSONANT_SOUND.matcher(word).matches());
    String article = vowel ? "an" : "a";
    return Character.isUpperCase(written.charAt(0)) ? "A" + article.substring(1) : article;
  }
}
