// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * The order of a plan: which class, trick and ordinal stand at each position, in constant time.
 *
 * <p>The counts of the tricks, divided by their greatest common divisor, are weights; a word of W
 * slots holds every trick as often as its weight, spread evenly. With C classes and L = lcm(C, W),
 * position p has class {@code p mod C} and slot {@code (p + p / L) mod W}. Every C W positions meet
 * each pair of class and slot once; so in every prefix the counts of two classes differ by at most
 * 1, and those of two (class, slot) pairs too.
 */
final class TrickSchedule {

  private final int classes;
  private final int lcm;
  private final Trick[] word;

  /** For each slot, how many slots before it have the same trick. */
  private final int[] rank;

  /** For each trick, its slots in order. */
  private final int[][] slots;

  private final int size;

  /** What stands at one position. */
  record Entry(int classIndex, Trick trick, int ordinal) {}

  TrickSchedule(int classes, TrickMix mix) {
    long total = (long) classes * mix.totalPerClass();
    if (total > Integer.MAX_VALUE) {
      throw new InvalidInputException(
          "%d images in all: expected at most %d".formatted(total, Integer.MAX_VALUE));
    }
    this.classes = classes;
    this.size = (int) total;
    this.word = word(mix.imagesPerClass());
    this.lcm = Math.toIntExact(lcm(classes, word.length));
    this.rank = new int[word.length];
    this.slots = new int[Trick.values().length][];
    for (Trick trick : Trick.values()) {
      slots[trick.ordinal()] =
          IntStream.range(0, word.length).filter(s -> word[s] == trick).toArray();
      for (int i = 0; i < slots[trick.ordinal()].length; i++) {
        rank[slots[trick.ordinal()][i]] = i;
      }
    }
  }

  int size() {
    return size;
  }

  Entry at(int position) {
    int slot = slot(position);
    int block = (int) (position / ((long) classes * word.length));
    int weight = slots[word[slot].ordinal()].length;
    return new Entry(position % classes, word[slot], block * weight + rank[slot]);
  }

  private int slot(int position) {
    return (int) (((long) position + position / lcm) % word.length);
  }

  /** The position of an entry, or -1 if this schedule has it not. */
  int find(Entry entry) {
    int[] own = slots[entry.trick().ordinal()];
    if (own.length == 0 || entry.classIndex() >= classes) {
      return -1;
    }
    int slot = own[entry.ordinal() % own.length];
    long start = (long) (entry.ordinal() / own.length) * classes * word.length;
    if (start >= size) {
      return -1;
    }
    // Of all lcm-blocks in these C W positions, one is shifted so that class and slot can meet.
    int gcd = gcd(classes, word.length);
    int shift = Math.floorMod(slot - entry.classIndex(), gcd);
    int first = (int) start + shift * lcm;
    for (int p = first + entry.classIndex(); p < first + lcm; p += classes) {
      if (slot(p) == slot) {
        return p;
      }
    }
    throw new AssertionError("no position for " + entry);
  }

  /**
   * Every trick as often as its weight, in Tijdeman's order for the chairman assignment problem: in
   * every prefix of n slots a trick of weight w is within 1 - 1/(2k - 2) of its due share n w / W.
   */
  private static Trick[] word(Map<Trick, Integer> counts) {
    int divisor = counts.values().stream().reduce(0, TrickSchedule::gcd);
    List<Trick> tricks = new ArrayList<>(counts.keySet());
    long[] weight = tricks.stream().mapToLong(t -> counts.get(t) / divisor).toArray();
    int length = (int) LongStream.of(weight).sum();
    long scale = Math.max(1, 2L * tricks.size() - 2);
    long[] given = new long[weight.length];
    var word = new Trick[length];
    for (int n = 1; n <= length; n++) {
      int next = -1;
      double nearest = 0;
      for (int i = 0; i < weight.length; i++) {
        // The share still due, in units of 1 / (scale W).
        long due = scale * (weight[i] * n - given[i] * length);
        double deadline = ((scale - 1.0) * length - due) / weight[i];
        if (due >= length && (next < 0 || deadline < nearest)) {
          next = i;
          nearest = deadline;
        }
      }
      given[next]++;
      word[n - 1] = tricks.get(next);
    }
    return word;
  }

  static long lcm(int a, int b) {
    return (long) a / gcd(a, b) * b;
  }

  private static int gcd(int a, int b) {
    return b == 0 ? a : gcd(b, a % b);
  }
}
