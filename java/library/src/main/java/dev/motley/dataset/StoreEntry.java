// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

/**
 * One image of a synthetic store and where it lies: {@code KEY.png} and {@code KEY.json}, one after
 * the other in a shard.
 *
 * @param position its index in the store's plan
 * @param key its key
 * @param shard the number of its shard
 * @param offset where the PNG's tar header begins in the shard, in bytes
 * @param pngLength bytes of the PNG
 * @param jsonLength bytes of the JSON
 * @param pngCrc CRC-32C of the PNG
 * @param jsonCrc CRC-32C of the JSON
 */
public record StoreEntry(
    int position,
    String key,
    int shard,
    long offset,
    int pngLength,
    int jsonLength,
    int pngCrc,
    int jsonCrc)
    implements StoreSlot {

  long pngAt() {
    return offset + TarBlocks.BLOCK;
  }

  long jsonAt() {
    return pngAt() + TarBlocks.padded(pngLength) + TarBlocks.BLOCK;
  }

  @Override
  public long end() {
    return jsonAt() + TarBlocks.padded(jsonLength);
  }
}
