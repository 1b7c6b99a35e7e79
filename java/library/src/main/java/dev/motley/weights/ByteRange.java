// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A part of a file.
 *
 * @param begin first byte
 * @param bytes how many, at least 0
 */
record ByteRange(long begin, long bytes) implements Comparable<ByteRange> {
  /** Files are mapped in windows of at most this size, or of one range where that is larger. */
  static final long WINDOW_BYTES = 1L << 30;

  private static final Comparator<ByteRange> IN_FILE =
      Comparator.comparingLong(ByteRange::begin).thenComparingLong(ByteRange::bytes);

  long end() {
    return begin + bytes;
  }

  /** By place; also keeps hash maps fast whose keys a file has chosen. */
  @Override
  public int compareTo(ByteRange other) {
    return IN_FILE.compare(this, other);
  }

  /**
   * Maps ranges of a file, which may touch and overlap, in few windows.
   *
   * @param ranges inside the file; those too large for a ByteBuffer are left out
   * @param windowBytes as {@link #WINDOW_BYTES}
   * @return read-only direct buffers, which outlive the channel
   */
  static Map<ByteRange, ByteBuffer> map(FileChannel channel, Collection<ByteRange> ranges, long windowBytes)
      throws IOException {
    List<ByteRange> sorted =
        ranges.stream()
            .distinct()
            .filter(range -> range.bytes <= Integer.MAX_VALUE)
            .sorted()
            .toList();
    Map<ByteRange, ByteBuffer> mapped = new HashMap<>();
    int first = 0;
    long end = 0;
    for (int i = 0; i < sorted.size(); i++) {
      long begin = sorted.get(first).begin;
      if (i > first && Math.max(end, sorted.get(i).end()) - begin > windowBytes) {
        mapWindow(channel, sorted.subList(first, i), end, mapped);
        first = i;
        end = 0;
      }
      end = Math.max(end, sorted.get(i).end());
    }
    if (!sorted.isEmpty()) {
      mapWindow(channel, sorted.subList(first, sorted.size()), end, mapped);
    }
    return mapped;
  }

  private static void mapWindow(
      FileChannel channel, List<ByteRange> ranges, long end, Map<ByteRange, ByteBuffer> mapped) throws IOException {
    long begin = ranges.getFirst().begin;
    ByteBuffer window =
        end == begin
            ? ByteBuffer.allocateDirect(0).asReadOnlyBuffer()
            : channel.map(MapMode.READ_ONLY, begin, end - begin);
    for (ByteRange range : ranges) {
      mapped.put(range, window.slice((int) (range.begin - begin), (int) range.bytes));
    }
  }
}
