// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;

/**
 * Builds HTML that is also well-formed XML. Text and attribute values are escaped, tags must match.
 * Attributes are given as name, value, name, value.
 */
final class Html {

  /** Elements after whose end a line break changes nothing on the page. */
  private static final Set<String> BLOCKS =
      Set.of(
          "head", "title", "style", "header", "nav", "main", "section", "footer", "h1", "h2", "h3",
          "p", "div", "ul", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr",
          "figure", "details", "svg", "body", "html");

  private final StringBuilder out = new StringBuilder("<!DOCTYPE html>\n");
  private final Deque<String> open = new ArrayDeque<>();

  Html open(String tag, String... attributes) {
    start(tag, attributes);
    out.append('>');
    open.push(tag);
    return this;
  }

  Html close(String tag) {
    String last = open.isEmpty() ? "nothing" : open.pop();
    if (!tag.equals(last)) {
      throw new IllegalStateException("closing " + tag + " while " + last + " is open");
    }
    out.append("</").append(tag).append('>');
    if (BLOCKS.contains(tag)) {
      out.append('\n');
    }
    return this;
  }

  /** An element without content, such as {@code img} or an SVG shape. */
  Html empty(String tag, String... attributes) {
    start(tag, attributes);
    out.append(" />");
    return this;
  }

  Html element(String tag, String text, String... attributes) {
    return open(tag, attributes).text(text).close(tag);
  }

  Html text(String text) {
    escape(text);
    return this;
  }

  /** Text that only the page itself may give: its style sheet. */
  Html raw(String trusted) {
    out.append(trusted);
    return this;
  }

  /** The whole document. */
  String finish() {
    if (!open.isEmpty()) {
      throw new IllegalStateException(open + " still open");
    }
    return out.toString();
  }

  private void start(String tag, String... attributes) {
    if (attributes.length % 2 != 0) {
      throw new IllegalArgumentException("attribute without a value in " + tag);
    }
    out.append('<').append(tag);
    for (int i = 0; i < attributes.length; i += 2) {
      out.append(' ').append(attributes[i]).append("=\"");
      escape(attributes[i + 1]);
      out.append('"');
    }
  }

  private void escape(String text) {
    text.codePoints()
        .forEach(
            point -> {
              switch (point) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> out.appendCodePoint(isCharacter(point) ? point : 0xFFFD);
              }
            });
  }

  /** The characters XML 1.0 allows; a lone surrogate or a control character is none of them. */
  private static boolean isCharacter(int point) {
    return point == '\t'
        || point == '\n'
        || (point >= 0x20 && point < 0x7F)
        || (point >= 0xA0 && point <= 0xD7FF)
        || (point >= 0xE000 && point <= 0xFFFD)
        || point >= 0x10000;
  }
}
