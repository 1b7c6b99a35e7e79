// SPDX-License-Identifier: Apache-2.0
package dev.motley;

/**
 * A failure inside the native core or libtorch that the input does not explain: a version that does
 * not fit, a missing symbol, a failed operator.
 */
public class NativeException extends MotleyException {

  /**
   * @param message one line for the user
   */
  public NativeException(String message) {
    super(message);
  }

  /**
   * @param message one line for the user
   * @param cause what happened underneath
   */
  public NativeException(String message, Throwable cause) {
    super(message, cause);
  }
}
