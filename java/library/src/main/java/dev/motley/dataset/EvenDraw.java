// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * Draws a part of a set: evenly over its groups (the tricks of a store, and of each the domains), the same for the same seed. A
 * larger part of the same seed holds the smaller one.
 */
final class EvenDraw {
  private EvenDraw() {}

  /**
   * Shares a budget out evenly. Who has less than an even share gives all, and the others make up for it.
   *
   * @param budget how many in all
   * @param available how many each has
   * @param first who begins to give one more where it does not divide
   * @return how many each gives; together the budget, or all there is
   */
  static int[] shares(int budget, int[] available, int first) {
    int[] given = new int[available.length];
    int left = budget;
    int open = available.length;
    while (left > 0 && open > 0) {
      int each = Math.max(1, left / open);
      open = 0;
      for (int k = 0; k < given.length && left > 0; k++) {
        int i = (first + k) % given.length;
        int more = Math.min(Math.min(each, left), available[i] - given[i]);
        given[i] += more;
        left -= more;
        open += given[i] < available[i] ? 1 : 0;
      }
    }
    return given;
  }

  /**
   * Draws from the images of one class, evenly over its groups, and in each evenly over their groups, and so on.
   *
   * @param members their indices in the set, ascending
   * @param groups for each level of groups, the coarsest first, the group of every image of the set
   * @param count how many to draw; all if there are no more
   * @param label the class
   * @return the drawn ones, ascending
   */
  static List<Integer> draw(List<Integer> members, List<int[]> groups, int count, int label, long seed) {
    if (count >= members.size()) {
      return members;
    }
    if (groups.isEmpty()) {
      var shuffled = new ArrayList<>(members);
      Collections.shuffle(shuffled, new Random(mixed(seed, label))); // both are specified to the bit
      return sorted(shuffled.subList(0, count));
    }
    Map<Integer, List<Integer>> parts = new TreeMap<>();
    members.forEach(i -> parts.computeIfAbsent(groups.getFirst()[i], _ -> new ArrayList<>()).add(i));
    int[] available = parts.values().stream().mapToInt(List::size).toArray();
    int[] shares = shares(count, available, label % available.length);
    var drawn = new ArrayList<Integer>();
    int next = 0;
    for (Map.Entry<Integer, List<Integer>> part : parts.entrySet()) {
      long own = mixed(seed, part.getKey());
      drawn.addAll(draw(part.getValue(), groups.subList(1, groups.size()), shares[next++], label, own));
    }
    return sorted(drawn);
  }

  private static List<Integer> sorted(List<Integer> indices) {
    return indices.stream().sorted().toList();
  }

  /** Keeps neighbouring seeds, classes and groups apart: a step and the finaliser of SplitMix64. */
  private static long mixed(long seed, int number) {
    long z = seed + (number + 1L) * 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** The indices of each class, ascending. */
  static List<List<Integer>> byClass(int[] labels, int classes) {
    List<List<Integer>> members = new ArrayList<>();
    for (int c = 0; c < classes; c++) {
      members.add(new ArrayList<>());
    }
    for (int i = 0; i < labels.length; i++) {
      members.get(labels[i]).add(i);
    }
    return members;
  }

  /** Sizes of lists. */
  static int[] sizes(List<List<Integer>> lists) {
    return lists.stream().mapToInt(List::size).toArray();
  }

  /** All of several lists, ascending. */
  static int[] all(List<List<Integer>> lists) {
    int[] all = lists.stream().flatMap(List::stream).mapToInt(Integer::intValue).toArray();
    Arrays.sort(all);
    return all;
  }
}
