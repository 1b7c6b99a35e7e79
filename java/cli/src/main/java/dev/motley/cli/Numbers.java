// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.diffusion.ImageRequest;
import dev.motley.diffusion.PictureParameters.Grid;
import dev.motley.train.Recipe;
import dev.motley.train.TrainingOptions;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** What the numeric options accept, with the library's limits. The command line's own error then names the option; nothing has begun by then. */
final class Numbers {
  private Numbers() {}

  /** A whole number from a least one on. */
  abstract static class Whole implements ITypeConverter<Integer> {
    private final int least;
    private final int most;

    private Whole(int least) {
      this(least, Integer.MAX_VALUE);
    }

    private Whole(int least, int most) {
      this.least = least;
      this.most = most;
    }

    @Override
    public Integer convert(String text) {
      try {
        int value = Integer.parseInt(text);
        if (value >= least && value <= most) {
          return value;
        }
      } catch (NumberFormatException e) {
        // the same message serves
      }
      throw new TypeConversionException(
          "expected a whole number from " + least + " to " + most + ", got '" + text + "'");
    }
  }

  /** One or more. */
  static final class Positive extends Whole {
    Positive() {
      super(1);
    }
  }

  /** None or more. */
  static final class Count extends Whole {
    Count() {
      super(0);
    }
  }

  /** Threads that compute. */
  static final class Threads extends Whole {
    /** Far more than a machine has processors; each costs memory. */
    private static final int MOST = 1024;

    Threads() {
      super(1, MOST);
    }
  }

  /** Any 64 bits. */
  static final class Seed implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      try {
        return Long.parseLong(text);
      } catch (NumberFormatException e) {
        throw new TypeConversionException("expected a whole number from -2^63 to 2^63 - 1, got '" + text + "'");
      }
    }
  }

  /** A real number between two bounds. */
  abstract static class Real implements ITypeConverter<Double> {
    private final double low;
    private final boolean lowIncluded;
    private final double high;

    private Real(double low, boolean lowIncluded, double high) {
      this.low = low;
      this.lowIncluded = lowIncluded;
      this.high = high;
    }

    @Override
    public Double convert(String text) {
      try {
        double value = Double.parseDouble(text);
        if ((lowIncluded ? value >= low : value > low) && value <= high) {
          return value;
        }
      } catch (NumberFormatException e) {
        // the same message serves
      }
      throw new TypeConversionException(
          "expected a number "
              + (lowIncluded ? "from " : "above ")
              + plain(low)
              + (high == Double.MAX_VALUE ? "" : (lowIncluded ? " to " : ", at most ") + plain(high))
              + ", got '"
              + text
              + "'");
    }

    private static String plain(double bound) {
      return bound == Math.rint(bound) ? Long.toString((long) bound) : Double.toString(bound);
    }
  }

  /** A guidance scale. */
  static final class Guidance extends Real {
    Guidance() {
      super(0, true, ImageRequest.MAX_GUIDANCE);
    }
  }

  /** DDIM's eta. */
  static final class Eta extends Real {
    Eta() {
      super(0, true, ImageRequest.MAX_ETA);
    }
  }

  /** A share that is not nothing. */
  static final class Share extends Real {
    Share() {
      super(0, false, 1);
    }
  }

  /** A learning rate. */
  static final class LearningRate extends Real {
    LearningRate() {
      super(0, false, Recipe.MAX_LEARNING_RATE);
    }
  }

  /** A weight decay. */
  static final class Decay extends Real {
    Decay() {
      super(0, true, Recipe.MAX_WEIGHT_DECAY);
    }
  }

  /** A share of a target. */
  static final class Smoothing extends Real {
    Smoothing() {
      super(0, true, TrainingOptions.MAX_LABEL_SMOOTHING);
    }
  }

  /** The alpha of mixup. */
  static final class Mixup extends Real {
    Mixup() {
      super(0, true, TrainingOptions.MAX_MIXUP);
    }
  }

  /** The decay of a moving average. */
  static final class Ema extends Real {
    Ema() {
      super(0, true, TrainingOptions.MAX_EMA);
    }
  }

  /** A norm of gradients. */
  static final class ClipNorm extends Real {
    ClipNorm() {
      super(0, true, TrainingOptions.MAX_CLIP_NORM);
    }
  }

  /** So many in a second. */
  static final class Rate extends Real {
    Rate() {
      super(0, false, Double.MAX_VALUE);
    }
  }

  /** A sheet's columns and rows, such as {@code 4x3}. */
  static final class Shape implements ITypeConverter<Grid> {
    private static final Pattern FORM = Pattern.compile("([1-9]\\d{0,4})x([1-9]\\d{0,4})");

    @Override
    public Grid convert(String text) {
      Matcher form = FORM.matcher(text);
      if (!form.matches()) {
        throw new TypeConversionException("expected columns x rows, such as 4x3, got '" + text + "'");
      }
      return new Grid(Integer.parseInt(form.group(1)), Integer.parseInt(form.group(2)));
    }
  }
}
