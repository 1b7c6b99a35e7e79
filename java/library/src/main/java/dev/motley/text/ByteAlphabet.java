// SPDX-License-Identifier: Apache-2.0
package dev.motley.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;

/**
 * GPT-2's spelling of bytes as printable characters: bytes that are visible in Latin-1 stand for
 * themselves, the other 68 for U+0100 onwards, in order.
 */
final class ByteAlphabet {
  private static final String CHARACTERS = characters();

  private ByteAlphabet() {}

  /** The character that stands for a byte given as 0..255. */
  static char of(int value) {
    return CHARACTERS.charAt(value);
  }

  /** All characters, those that stand for themselves first: the order in which CLIP numbers them. */
  static List<String> visibleFirst() {
    return IntStream.concat(
            IntStream.range(0, 256).filter(value -> of(value) == value),
            IntStream.range(0, 256).filter(value -> of(value) != value))
        .mapToObj(value -> String.valueOf(of(value)))
        .toList();
  }

  /**
   * The bytes that a token's spelling stands for, read as UTF-8; foreign characters as themselves.
   */
  static String decode(String spelling) {
    var bytes = new ByteArrayOutputStream();
    for (int i = 0; i < spelling.length(); i++) {
      int value = CHARACTERS.indexOf(spelling.charAt(i));
      if (value >= 0) {
        bytes.write(value);
      } else {
        bytes.writeBytes(spelling.substring(i, i + 1).getBytes(StandardCharsets.UTF_8));
      }
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private static String characters() {
    StringBuilder all = new StringBuilder();
    int next = 0x100;
    for (int value = 0; value < 256; value++) {
      boolean visible =
          (value >= '!' && value <= '~')
              || (value >= 0xa1 && value <= 0xac)
              || (value >= 0xae && value <= 0xff);
      all.append(visible ? (char) value : (char) next++);
    }
    return all.toString();
  }
}
