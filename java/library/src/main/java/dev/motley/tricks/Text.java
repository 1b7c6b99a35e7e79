// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import java.text.Normalizer;
import java.util.Locale;

/** Small helpers for names that people typed. */
final class Text {

  private Text() {}

  /** The name as a case-insensitive file system or CLIP's tokenizer would see it. */
  static String folded(String name) {
    return Normalizer.normalize(name, Normalizer.Form.NFC)
        .toLowerCase(Locale.ROOT)
        .strip()
        .replaceAll("\\s+", " ");
  }
}
