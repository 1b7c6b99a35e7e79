// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.InvalidInputException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A prompt with places for the class and the domain, such as {@code a {domain} of a {class}}.
 *
 * @param text the template; holds {@code {class}} and may hold {@code {domain}}
 */
public record PromptTemplate(String text) {

  /** An optional article, then a place. Articles are decided here and nowhere else. */
  private static final Pattern PLACE = Pattern.compile("(?:\\b([Aa]n?)(\\s+))?\\{([^{}]*)\\}");

  /** Checks the places. */
  public PromptTemplate {
    Matcher place = PLACE.matcher(text);
    boolean hasClass = false;
    while (place.find()) {
      String name = place.group(3);
      if (!name.equals("class") && !name.equals("domain")) {
        throw new InvalidInputException(
            "prompt '" + text + "': unknown {" + name + "}, expected {class} or {domain}");
      }
      hasClass |= name.equals("class");
    }
    if (!hasClass) {
      throw new InvalidInputException("prompt '" + text + "' lacks {class}");
    }
  }

  /**
   * Says whether the template names a domain.
   *
   * @return true if it holds {@code {domain}}
   */
  public boolean hasDomain() {
    return text.contains("{domain}");
  }

  /**
   * Fills the places.
   *
   * @param className the class's prompt spelling
   * @param domain the domain; unused where the template has no {@code {domain}}
   * @param articles what to do with an article before a place
   * @return the prompt
   */
  public String fill(String className, String domain, Articles articles) {
    return PLACE
        .matcher(text)
        .replaceAll(
            place -> {
              String word = place.group(3).equals("class") ? className : domain;
              String article =
                  place.group(1) == null
                      ? ""
                      : articles.before(word, place.group(1)) + place.group(2);
              return Matcher.quoteReplacement(article + word);
            });
  }
}
