// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

/** What a store holds for one image of its plan: the image, or the note that it was left out. */
public sealed interface StoreSlot permits StoreEntry, StoreDrop {

  /** The image's index in the store's plan. */
  int position();

  /** The image's key. */
  String key();

  /** The number of its shard. */
  int shard();

  /** Where it begins in the shard, in bytes. */
  long offset();

  /** Where the next begins. */
  long end();
}
