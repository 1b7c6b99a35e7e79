// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import java.util.List;

/**
 * An image of the plan that was left out: it takes no room in its shard, only a line in the journal.
 *
 * @param position its index in the store's plan
 * @param key its key
 * @param shard the number of the shard it would lie in
 * @param offset where it would begin, in bytes
 * @param attempts every picture that was drawn for it; the last is why it was left out
 */
public record StoreDrop(int position, String key, int shard, long offset, List<Attempt> attempts)
    implements StoreSlot {

  /** Copies the list, and checks that a flag ends it. */
  public StoreDrop {
    attempts = List.copyOf(attempts);
    if (attempts.isEmpty() || !attempts.getLast().flaw().isFlagged()) {
      throw new InvalidInputException("image '" + key + "' is left out, but its last picture was not flagged");
    }
  }

  @Override
  public long end() {
    return offset;
  }
}
