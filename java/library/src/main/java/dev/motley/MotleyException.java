// SPDX-License-Identifier: Apache-2.0
package dev.motley;

/**
 * The root of everything Motley throws on purpose. Its message is one line that names what was
 * wrong (a file, key, flag or shape) and what was expected, fit to be shown to a user as it is.
 *
 * <p>Most callers catch a subclass: {@link InvalidInputException} for what the caller can correct,
 * {@link ResourceException} for what the machine lacks, {@link CancelledException} after a
 * cancellation, {@link NativeException} for a failure inside the native core.
 */
public class MotleyException extends RuntimeException {

  /**
   * @param message one line for the user
   */
  public MotleyException(String message) {
    super(message);
  }

  /**
   * @param message one line for the user
   * @param cause what happened underneath
   */
  public MotleyException(String message, Throwable cause) {
    super(message, cause);
  }
}
