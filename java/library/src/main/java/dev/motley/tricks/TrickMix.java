// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.InvalidInputException;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How many images of each class every trick draws. Image number k of a trick and class is the same
 * in every mix that has it, so sets made from different mixes can share their images.
 *
 * @param imagesPerClass images of one class by trick; tricks left out or at 0 draw none
 */
public record TrickMix(Map<Trick, Integer> imagesPerClass) {

  /** Checks the counts. */
  public TrickMix {
    var copy = new EnumMap<Trick, Integer>(Trick.class);
    long total = 0;
    for (Map.Entry<Trick, Integer> one : imagesPerClass.entrySet()) {
      if (one.getValue() < 0) {
        throw new InvalidInputException(
            "images per class of trick '%s' must be 0 or more, found %d"
                .formatted(one.getKey().id(), one.getValue()));
      }
      if (one.getValue() > 0) {
        copy.put(one.getKey(), one.getValue());
      }
      total += one.getValue();
    }
    if (total == 0) {
      throw new InvalidInputException("no images to draw: expected at least 1 per class");
    }
    if (total > Integer.MAX_VALUE) {
      throw new InvalidInputException(
          "too many images per class: " + total + ", expected at most " + Integer.MAX_VALUE);
    }
    imagesPerClass = Collections.unmodifiableMap(copy);
  }

  /**
   * One trick alone.
   *
   * @param trick the trick
   * @param perClass images per class
   * @return the mix
   */
  public static TrickMix only(Trick trick, int perClass) {
    return new TrickMix(Map.of(trick, perClass));
  }

  /**
   * The paper's "all combined": the union of whole sets, each trick with {@code perClass} images of
   * every class. It has as many times more images as there are tricks.
   *
   * @param tricks the tricks to unite
   * @param perClass images per class of each trick
   * @return the mix
   */
  public static TrickMix union(Collection<Trick> tricks, int perClass) {
    var counts = new EnumMap<Trick, Integer>(Trick.class);
    distinct(tricks).forEach(trick -> counts.put(trick, perClass));
    return new TrickMix(counts);
  }

  /**
   * The count-matched control the paper lacks: {@code perClass} images of every class in all,
   * divided evenly over the tricks; the first tricks get the remainder.
   *
   * @param tricks the tricks to mix
   * @param perClass images per class, of all tricks together
   * @return the mix
   */
  public static TrickMix equalBudget(Collection<Trick> tricks, int perClass) {
    var weights = new EnumMap<Trick, Double>(Trick.class);
    distinct(tricks).forEach(trick -> weights.put(trick, 1.0));
    return shares(weights, perClass);
  }

  /**
   * {@code perClass} images of every class in all, divided by weight (largest remainder; ties go to
   * the trick the paper names first).
   *
   * @param weights any non-negative numbers, not all 0
   * @param perClass images per class, of all tricks together
   * @return the mix
   */
  public static TrickMix shares(Map<Trick, Double> weights, int perClass) {
    double sum = 0;
    for (Map.Entry<Trick, Double> one : weights.entrySet()) {
      if (!(one.getValue() >= 0) || Double.isInfinite(one.getValue())) {
        throw new InvalidInputException(
            "the share of trick '%s' must be a number of 0 or more, found %s"
                .formatted(one.getKey().id(), one.getValue()));
      }
      sum += one.getValue();
    }
    if (!(sum > 0) || perClass < 1) {
      throw new InvalidInputException(
          "no images to share out: expected at least 1 per class and a share above 0");
    }
    var counts = new EnumMap<Trick, Integer>(Trick.class);
    var remainders = new EnumMap<Trick, Double>(Trick.class);
    int given = 0;
    for (Map.Entry<Trick, Double> one : new EnumMap<>(weights).entrySet()) {
      double exact = perClass * (one.getValue() / sum);
      counts.put(one.getKey(), (int) exact);
      remainders.put(one.getKey(), exact - (int) exact);
      given += (int) exact;
    }
    List<Trick> order =
        remainders.keySet().stream()
            .sorted((a, b) -> Double.compare(remainders.get(b), remainders.get(a)))
            .toList();
    for (int i = 0; given < perClass; i++, given++) {
      counts.merge(order.get(i % order.size()), 1, Integer::sum);
    }
    return new TrickMix(counts);
  }

  private static Set<Trick> distinct(Collection<Trick> tricks) {
    if (tricks.isEmpty()) {
      throw new InvalidInputException("no tricks given: expected some of " + Trick.ids());
    }
    if (Set.copyOf(tricks).size() != tricks.size()) {
      throw new InvalidInputException("a trick is listed twice: " + tricks);
    }
    return Set.copyOf(tricks);
  }

  /**
   * Returns the images of one class, of all tricks together.
   *
   * @return at least 1
   */
  public int totalPerClass() {
    return imagesPerClass.values().stream().mapToInt(Integer::intValue).sum();
  }
}
