// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.InvalidInputException;
import dev.motley.config.Names;

/**
 * One class of a dataset. Its three names are kept apart because they differ in practice: EuroSAT's
 * class 9 lies in the folder {@code SeaLake} and is drawn as {@code Sea/Lake}.
 *
 * @param index the label, from 0
 * @param folder the spelling of folders and files in the real dataset, for example {@code
 *     aquarium_fish}
 * @param prompt the spelling put into prompts, for example {@code aquarium fish}
 */
public record ClassName(int index, String folder, String prompt) {

  /** Checks that the folder can be one and that the prompt says something. */
  public ClassName {
    if (index < 0) {
      throw new InvalidInputException("class index must be 0 or more, found " + index);
    }
    if (folder.isBlank()) {
      throw new InvalidInputException("class " + index + " has an empty name");
    }
    if (prompt.isBlank()) {
      throw new InvalidInputException(
          "class " + index + " ('" + folder + "') has an empty prompt spelling");
    }
    if (!folder.equals(folder.strip())
        || folder.equals(".")
        || folder.equals("..")
        || folder.chars().anyMatch(c -> c == '/' || c == '\\' || Character.isISOControl(c))) {
      throw new InvalidInputException(
          "class "
              + index
              + " ('"
              + Names.printable(folder)
              + "') cannot be a folder name: give one without slashes, control characters and outer"
              + " spaces, and the text to draw as its prompt spelling");
    }
    if (prompt.chars().anyMatch(Character::isISOControl)) {
      throw new InvalidInputException(
          "the prompt spelling of class "
              + index
              + " ('"
              + Names.printable(folder)
              + "') has control characters");
    }
    prompt = prompt.strip();
  }

  /**
   * A class whose prompt spelling is its folder spelling with {@code _} read as a space.
   *
   * @param index the label, from 0
   * @param folder the folder spelling
   * @return the class
   */
  public static ClassName of(int index, String folder) {
    return new ClassName(index, folder, folder.replace('_', ' '));
  }
}
