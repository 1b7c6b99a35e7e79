// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import java.io.IOException;
import java.util.Locale;

/**
 * The files of a WebDataset shard that share a key, which is the path up to the first point of the file's name, and that stand one
 * after the other.
 *
 * @param key the key
 * @param picture the picture's file; empty: none, or a file of no bytes
 * @param hasPicture whether there is such a file
 * @param label the text of the label's file
 * @param labelEnding {@code .cls} or {@code .json}; empty: no label
 */
record WebSample(String key, byte[] picture, boolean hasPicture, byte[] label, String labelEnding) {

  /** Takes a sample. */
  @FunctionalInterface
  interface Taker {
    void take(WebSample sample) throws IOException;
  }

  /** Puts the files of a shard together. */
  static final class Grouping {
    private final Taker taker;
    private WebSample sample = empty("");

    Grouping(Taker taker) {
      this.taker = taker;
    }

    void add(String file, byte[] content) throws IOException {
      String key = key(file);
      if (!key.equals(sample.key)) {
        end();
        sample = empty(key);
      }
      sample = sample.with(file, content);
    }

    void end() throws IOException {
      taker.take(sample);
      sample = empty("");
    }
  }

  private static WebSample empty(String key) {
    return new WebSample(key, new byte[0], false, new byte[0], "");
  }

  private WebSample with(String file, byte[] content) {
    if (isPicture(file)) {
      return new WebSample(key, content, true, label, labelEnding);
    }
    boolean better = isLabel(file) && !labelEnding.equals(".cls"); // a .cls is the label, a .json may be about anything
    return better ? new WebSample(key, picture, hasPicture, content, ending(file)) : this;
  }

  boolean isLabelled() {
    return !labelEnding.isEmpty();
  }

  boolean isNeither() {
    return !hasPicture && !isLabelled();
  }

  static boolean isPicture(String file) {
    String lower = file.toLowerCase(Locale.ROOT);
    return ImageFolderReader.ENDINGS.stream().anyMatch(lower::endsWith);
  }

  static boolean isLabel(String file) {
    String ending = ending(file);
    return ending.equals(".cls") || ending.equals(".json");
  }

  static String key(String file) {
    int name = file.lastIndexOf('/') + 1;
    int point = file.indexOf('.', name);
    return point < 0 ? file : file.substring(0, point);
  }

  /** All from the first point of the name, in lower case. */
  private static String ending(String file) {
    return file.substring(key(file).length()).toLowerCase(Locale.ROOT);
  }
}
