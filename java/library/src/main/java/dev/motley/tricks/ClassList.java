// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.InvalidInputException;
import dev.motley.config.Names;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The classes of a dataset in label order.
 *
 * @param name what the list is called, for example {@code cifar10}
 * @param classes the classes; the one at position i has index i
 */
public record ClassList(String name, List<ClassName> classes) {

  /** The name of a list that was given none. */
  static final String UNNAMED = "own";

  /** Labels must fit the 16 bits they have in an image's noise key. */
  static final int LIMIT = 1 << 16;

  /** Checks the order, and that no two classes share a folder or a prompt spelling. */
  public ClassList {
    classes = List.copyOf(classes);
    if (name.isBlank()) {
      throw new InvalidInputException("the class list has an empty name");
    }
    if (classes.isEmpty()) {
      throw new InvalidInputException(
          "class list '" + name + "' is empty: expected at least 1 class");
    }
    if (classes.size() > LIMIT) {
      throw new InvalidInputException(
          "class list '"
              + name
              + "' has "
              + classes.size()
              + " classes: expected at most "
              + LIMIT);
    }
    for (int i = 0; i < classes.size(); i++) {
      if (classes.get(i).index() != i) {
        throw new InvalidInputException(
            "class list '%s': '%s' has index %d at position %d: expected label order"
                .formatted(name, classes.get(i).folder(), classes.get(i).index(), i));
      }
    }
    requireDistinct(name, "folder", classes, ClassName::folder);
    requireDistinct(name, "prompt", classes, ClassName::prompt);
  }

  private static void requireDistinct(
      String list, String what, List<ClassName> classes, Function<ClassName, String> spelling) {
    Map<String, ClassName> seen = new HashMap<>();
    for (ClassName one : classes) {
      ClassName other = seen.putIfAbsent(Text.folded(spelling.apply(one)), one);
      if (other != null) {
        throw new InvalidInputException(
            "class list '%s': classes %d and %d have the same %s spelling '%s'"
                .formatted(list, other.index(), one.index(), what, spelling.apply(one)));
      }
    }
  }

  /**
   * The names as classifiers and test sets show them: the folder spellings, with spaces for {@code _}.
   *
   * @return one name per class, in label order
   */
  public List<String> labels() {
    return classes.stream().map(c -> c.folder().replace('_', ' ')).toList();
  }

  /**
   * A list of one's own. Prompts read {@code _} as a space.
   *
   * @param name what to call it
   * @param folders the class names, in label order
   * @return the list
   * @throws InvalidInputException if a name is empty, unfit for a folder or there twice
   */
  public static ClassList of(String name, List<String> folders) {
    var classes = new ArrayList<ClassName>(folders.size());
    for (String folder : folders) {
      classes.add(ClassName.of(classes.size(), folder));
    }
    return new ClassList(name, classes);
  }

  /**
   * A list in a text file, one folder spelling a line, in label order; empty lines do not count.
   *
   * @param file UTF-8; the list is called as it is, without the ending
   * @return the list
   * @throws InvalidInputException if a name is empty, unfit for a folder or there twice
   * @throws dev.motley.ResourceException if the file cannot be read
   */
  public static ClassList read(Path file) {
    try {
      String name = file.getFileName().toString().replaceFirst("\\.[^.]*$", "");
      return of(name.isBlank() ? UNNAMED : name, Files.readAllLines(file).stream().map(String::strip).filter(line -> !line.isEmpty()).toList());
    } catch (IOException e) {
      throw FileFailure.reading(file, e);
    }
  }

  /**
   * A built-in list.
   *
   * @param name one of {@link #presets}
   * @return the list in the order of the real dataset's labels, with the paper's prompt spellings
   * @throws InvalidInputException if there is none of that name; the nearest are offered
   */
  public static ClassList preset(String name) {
    return BuiltInClasses.named(name);
  }

  /**
   * Lists the names {@link #preset} knows.
   *
   * @return the names
   */
  public static List<String> presets() {
    return BuiltInClasses.names();
  }

  /**
   * The same classes with other prompt spellings, matched by folder. For the built-in EuroSAT list
   * {@link #spellings} offers those in use.
   *
   * @param prompts folder spelling to prompt spelling, for every class
   * @return the list with those prompts
   * @throws InvalidInputException if a class has none, or one names no class
   */
  public ClassList withPrompts(Map<String, String> prompts) {
    List<String> folders = classes.stream().map(ClassName::folder).toList();
    for (String folder : prompts.keySet()) {
      Names.find("class of '" + name + "'", folder, folders, Function.identity());
    }
    var spelled = new ArrayList<ClassName>(classes.size());
    for (ClassName one : classes) {
      String prompt = prompts.get(one.folder());
      if (prompt == null) {
        throw new InvalidInputException(
            "class list '" + name + "': no prompt spelling given for '" + one.folder() + "'");
      }
      spelled.add(new ClassName(one.index(), one.folder(), prompt));
    }
    return new ClassList(name, spelled);
  }

  /**
   * The same classes with one of the built-in sets of prompt spellings.
   *
   * @param spelling one of {@link #spellings}
   * @return the list with those prompts
   * @throws InvalidInputException if this list has no such set
   */
  public ClassList withSpelling(String spelling) {
    return withPrompts(BuiltInClasses.spelling(name, spelling));
  }

  /**
   * Lists the built-in sets of prompt spellings of a list: for {@code eurosat} the paper's Table 1
   * ({@code paper}, the default), CLIP's ({@code clip}) and DISEF's ({@code land-use}).
   *
   * @param name the list's name
   * @return the sets' names; empty where there is but one spelling
   */
  public static List<String> spellings(String name) {
    return BuiltInClasses.spellings(name);
  }

  /**
   * Returns the folder spellings, by which a classifier and a real dataset name their classes.
   *
   * @return in label order
   */
  public List<String> folders() {
    return classes.stream().map(ClassName::folder).toList();
  }

  /**
   * Returns the number of classes.
   *
   * @return at least 1
   */
  public int size() {
    return classes.size();
  }
}
