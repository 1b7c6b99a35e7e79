// SPDX-License-Identifier: Apache-2.0
package dev.motley;

/**
 * The work was cancelled, by the user or by a progress callback. State that can be resumed has been
 * kept, and the message says how.
 */
public class CancelledException extends MotleyException {

  /**
   * @param message one line for the user
   */
  public CancelledException(String message) {
    super(message);
  }

  /**
   * @param message one line for the user
   * @param cause what happened underneath
   */
  public CancelledException(String message, Throwable cause) {
    super(message, cause);
  }
}
