// SPDX-License-Identifier: Apache-2.0
package dev.motley.text;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a text into the words that byte-pair encoding works on, as the HuggingFace CLIP tokenizer
 * does: Unicode composition (NFC), lower case, then runs of letters, single digits, runs of other
 * signs, and the English contractions; white space is dropped.
 */
final class PreTokenizer {
  private static final List<String> CONTRACTIONS =
      List.of("'s", "'t", "'re", "'ve", "'m", "'ll", "'d");

  /** Special tokens that only appear after lower-casing are cut off, but are plain text. */
  private static final List<String> SPECIAL = List.of("<|startoftext|>", "<|endoftext|>");

  private static final int CAPITAL_I_WITH_DOT = 0x130;

  private PreTokenizer() {}

  static List<String> words(String text) {
    String normal = lowerCase(Normalizer.normalize(text, Normalizer.Form.NFC));
    List<String> words = new ArrayList<>();
    int at = 0;
    while (at < normal.length()) {
      int end = wordEnd(normal, at);
      if (end == at) {
        at += Character.charCount(normal.codePointAt(at));
      } else {
        add(words, normal.substring(at, end));
        at = end;
      }
    }
    return words;
  }

  private static void add(List<String> words, String word) {
    if (SPECIAL.contains(word)) {
      words.add("<|");
      words.add(word.substring(2, word.length() - 2));
      words.add("|>");
    } else {
      words.add(word);
    }
  }

  /** End of the word that begins here, or the place itself where there is white space. */
  private static int wordEnd(String text, int start) {
    for (String special : SPECIAL) {
      if (text.startsWith(special, start)) {
        return start + special.length();
      }
    }
    for (String contraction : CONTRACTIONS) {
      if (text.startsWith(contraction, start)) {
        return start + contraction.length();
      }
    }
    int first = kind(text.codePointAt(start));
    int at = start;
    while (at < text.length() && first != SPACE && kind(text.codePointAt(at)) == first) {
      at += Character.charCount(text.codePointAt(at));
      if (first == DIGIT) {
        break;
      }
    }
    return at;
  }

  private static final int SPACE = 0;
  private static final int LETTER = 1;
  private static final int DIGIT = 2;
  private static final int OTHER = 3;

  /** The classes \s, \p{L}, \p{N} and the rest, by Unicode's own properties. */
  private static int kind(int codePoint) {
    if (Character.isLetter(codePoint)) {
      return LETTER;
    }
    if ((codePoint >= '\t' && codePoint <= '\r')
        || codePoint == 0x85
        || Character.isSpaceChar(codePoint)) {
      return SPACE;
    }
    return switch (Character.getType(codePoint)) {
      case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> DIGIT;
      default -> OTHER;
    };
  }

  /** Lower case sign by sign, so without the final form of sigma that String.toLowerCase knows. */
  private static String lowerCase(String text) {
    StringBuilder lower = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            codePoint -> {
              if (codePoint == CAPITAL_I_WITH_DOT) {
                lower.append("i\u0307");
              } else {
                lower.appendCodePoint(Character.toLowerCase(codePoint));
              }
            });
    return lower.toString();
  }
}
