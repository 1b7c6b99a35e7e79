// SPDX-License-Identifier: Apache-2.0
package dev.motley;

/**
 * An argument, option, configuration or file that the caller can correct. The message names the
 * file, key, flag or shape, what was found there and what was expected.
 */
public class InvalidInputException extends MotleyException {

  /**
   * @param message one line for the user
   */
  public InvalidInputException(String message) {
    super(message);
  }

  /**
   * @param message one line for the user
   * @param cause what happened underneath
   */
  public InvalidInputException(String message, Throwable cause) {
    super(message, cause);
  }
}
