// SPDX-License-Identifier: Apache-2.0
package dev.motley;

/**
 * Something the machine lacks: disk space, memory, a permission, a library or a tool. The message
 * says which, how much where that is known, and the remedy.
 */
public class ResourceException extends MotleyException {

  /**
   * @param message one line for the user
   */
  public ResourceException(String message) {
    super(message);
  }

  /**
   * @param message one line for the user
   * @param cause what happened underneath
   */
  public ResourceException(String message, Throwable cause) {
    super(message, cause);
  }
}
