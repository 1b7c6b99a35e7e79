// SPDX-License-Identifier: Apache-2.0
package dev.motley;

/** A training diverged: its loss is infinite or no number. */
public class NotFiniteException extends MotleyException {

  /**
   * @param message one line for the user
   */
  public NotFiniteException(String message) {
    super(message);
  }
}
