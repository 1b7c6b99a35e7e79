// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.train.Recipe;
import java.util.Iterator;

/** The networks, as help and completion list them. */
final class Architectures implements Iterable<String> {
  @Override
  public Iterator<String> iterator() {
    return Recipe.ARCHITECTURES.iterator();
  }
}
