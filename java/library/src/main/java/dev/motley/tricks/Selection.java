// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import java.util.Arrays;

/** Some positions of a whole plan, ascending. */
sealed interface Selection {

  int size();

  /** The position at an index of the selection. */
  int position(int index);

  /** The index of a position, or a negative number. */
  int indexOf(int position);

  Selection range(int from, int to);

  /** Positions from {@code start} on, without a gap. */
  record Run(int start, int size) implements Selection {

    @Override
    public int position(int index) {
      return start + index;
    }

    @Override
    public int indexOf(int position) {
      return position - start < size ? position - start : -1;
    }

    @Override
    public Selection range(int from, int to) {
      return new Run(start + from, to - from);
    }
  }

  /** Any positions. */
  final class Listed implements Selection {

    private final int[] positions;

    Listed(int[] positions) {
      this.positions = positions;
    }

    @Override
    public int size() {
      return positions.length;
    }

    @Override
    public int position(int index) {
      return positions[index];
    }

    @Override
    public int indexOf(int position) {
      return Arrays.binarySearch(positions, position);
    }

    @Override
    public Selection range(int from, int to) {
      return new Listed(Arrays.copyOfRange(positions, from, to));
    }
  }
}
