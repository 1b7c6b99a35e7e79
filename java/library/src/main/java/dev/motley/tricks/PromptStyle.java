// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.InvalidInputException;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How each trick words its prompts.
 *
 * @param templates one template per trick; only that of multi-domain has a {@code {domain}}
 * @param domains the domains multi-domain cycles through, distinct
 * @param articles how articles before classes and domains are written
 * @param negative the prompt guidance leads away from; usually empty
 */
public record PromptStyle(
    Map<Trick, PromptTemplate> templates,
    List<String> domains,
    Articles articles,
    String negative) {

  /** The paper's base prompt, for all three of its datasets. */
  public static final String BASE = "an image of a {class}";

  /**
   * A base prompt with the context that satellite images need. The paper's introduction and section
   * 4.3 use {@link #BASE} for EuroSAT too, but its section 5.3 asks for such context.
   */
  public static final String SATELLITE_BASE = "a satellite photo of a {class}";

  /** What the original code draws random guidance with: the base prompt without its article. */
  static final String REPO_RANDOM = "an image of {class}";

  /** Checks that every trick has a fitting template and that the domains are distinct. */
  public PromptStyle {
    var copy = new EnumMap<Trick, PromptTemplate>(Trick.class);
    copy.putAll(templates);
    for (Trick trick : Trick.values()) {
      PromptTemplate template = copy.get(trick);
      if (template == null) {
        throw new InvalidInputException("no prompt given for trick '" + trick.id() + "'");
      }
      if (template.hasDomain() != (trick == Trick.MULTI_DOMAIN)) {
        throw new InvalidInputException(
            "prompt '%s' of trick '%s' %s"
                .formatted(
                    template.text(),
                    trick.id(),
                    template.hasDomain() ? "must not have {domain}" : "lacks {domain}"));
      }
    }
    templates = java.util.Collections.unmodifiableMap(copy);
    domains = List.copyOf(domains);
    requireDistinct(domains);
  }

  private static void requireDistinct(List<String> domains) {
    if (domains.isEmpty()) {
      throw new InvalidInputException("the list of domains is empty: expected at least 1");
    }
    Set<String> seen = new HashSet<>();
    for (String domain : domains) {
      if (domain.isBlank()) {
        throw new InvalidInputException("the list of domains has an empty one");
      }
      if (!seen.add(Text.folded(domain))) {
        throw new InvalidInputException("the domain '" + domain + "' is listed twice");
      }
    }
  }

  /**
   * The paper's wording for things: CIFAR-10 and CIFAR-100, with ten domains.
   *
   * @return the style, articles as written
   */
  public static PromptStyle objects() {
    return style(
        "a {domain} of a {class}",
        List.of(
            "photo",
            "drawing",
            "painting",
            "sketch",
            "collage",
            "poster",
            "digital art image",
            "rock drawing",
            "stick figure",
            "3D rendering"));
  }

  /**
   * The paper's wording for EuroSAT, with five domains.
   *
   * @return the style, articles as written, base prompt {@link #BASE}
   */
  public static PromptStyle satellite() {
    return style(
        "a satellite photo of a {class} in the style of a {domain}",
        List.of("realistic photo", "drawing", "painting", "sketch", "3D rendering"));
  }

  private static PromptStyle style(String multiDomain, List<String> domains) {
    var templates = new EnumMap<Trick, PromptTemplate>(Trick.class);
    templates.put(Trick.BASE_CLASS, new PromptTemplate(BASE));
    templates.put(Trick.CLASS_PROMPT, new PromptTemplate("{class}"));
    templates.put(Trick.MULTI_DOMAIN, new PromptTemplate(multiDomain));
    templates.put(Trick.RANDOM_GUIDANCE, new PromptTemplate(BASE));
    return new PromptStyle(templates, domains, Articles.AS_WRITTEN, "");
  }

  /**
   * The same style with another template for one trick.
   *
   * @param trick the trick
   * @param template its template
   * @return the changed style
   */
  public PromptStyle with(Trick trick, String template) {
    var changed = new EnumMap<Trick, PromptTemplate>(templates);
    changed.put(trick, new PromptTemplate(template));
    return new PromptStyle(changed, domains, articles, negative);
  }

  /**
   * The same style with another base prompt, which random guidance shares.
   *
   * @param template for example {@link #SATELLITE_BASE}
   * @return the changed style
   */
  public PromptStyle withBase(String template) {
    return with(Trick.BASE_CLASS, template).with(Trick.RANDOM_GUIDANCE, template);
  }

  /**
   * The same style with other domains.
   *
   * @param domains at least one, distinct
   * @return the changed style
   */
  public PromptStyle with(List<String> domains) {
    return new PromptStyle(templates, domains, articles, negative);
  }

  /**
   * The same style with another article rule.
   *
   * @param articles the rule
   * @return the changed style
   */
  public PromptStyle with(Articles articles) {
    return new PromptStyle(templates, domains, articles, negative);
  }

  /**
   * The same style with another negative prompt.
   *
   * @param negative what guidance leads away from
   * @return the changed style
   */
  public PromptStyle withNegative(String negative) {
    return new PromptStyle(templates, domains, articles, negative);
  }

  /**
   * Words one prompt.
   *
   * @param trick the trick
   * @param name the class
   * @param domain the domain; empty for every trick but multi-domain
   * @return the prompt
   */
  public String prompt(Trick trick, ClassName name, String domain) {
    return templates.get(trick).fill(name.prompt(), domain, articles);
  }
}
