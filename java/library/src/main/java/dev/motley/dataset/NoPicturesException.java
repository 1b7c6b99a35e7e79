// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;

/** A folder that was taken for class folders of pictures and is none. */
final class NoPicturesException extends InvalidInputException {
  NoPicturesException(String message) {
    super(message);
  }
}
