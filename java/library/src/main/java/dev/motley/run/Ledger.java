// SPDX-License-Identifier: Apache-2.0
package dev.motley.run;

import dev.motley.InvalidInputException;
import dev.motley.ProgressListener;
import dev.motley.config.Tree;
import dev.motley.config.Yaml;
import dev.motley.files.AtomicFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What one set's part of a run remembers from process to process, in {@code ledger.yaml}: how many images it has drawn, and in what
 * time. Only the report rests on it: one that is gone or damaged is begun anew.
 */
final class Ledger {
  private static final String FILE = "ledger.yaml";
  private static final List<String> KEYS = List.of("drawn", "drawing-seconds");

  /** As often as this while images are drawn: what a kill costs the report. */
  private static final long SAVE_EVERY = 10_000_000_000L;

  private final Path file;
  private long drawn;
  private double drawingSeconds;

  private Ledger(Path file) {
    this.file = file;
  }

  /** That of the set in {@code folder}. */
  static Ledger of(Path folder) {
    var ledger = new Ledger(folder.resolve(FILE));
    if (Files.exists(ledger.file)) {
      try {
        ledger.read();
      } catch (InvalidInputException e) {
        return new Ledger(ledger.file);
      }
    }
    return ledger;
  }

  private void read() {
    Tree tree = Tree.of("ledger", Yaml.read(file), KEYS);
    drawn = tree.whole("drawn").orElse(0L);
    drawingSeconds = tree.number("drawing-seconds").orElse(0.0);
  }

  private void save() {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("drawn", drawn);
    tree.put("drawing-seconds", drawingSeconds);
    AtomicFile.write(file, Yaml.write(tree));
  }

  /** Images drawn so far, copies not counted. */
  long drawn() {
    return drawn;
  }

  double drawingSeconds() {
    return drawingSeconds;
  }

  /** Runs {@code drawing}, which is to tell the listener it is given, and books its images and time, however it ends. */
  void draw(ProgressListener listener, Drawing drawing) {
    long before = drawn;
    double secondsBefore = drawingSeconds;
    long start = System.nanoTime();
    long[] saved = {start};
    try {
      drawing.run(
          progress -> {
            long own = progress.done() - progress.resumed();
            if (own > 0) {
              long now = System.nanoTime();
              drawn = before + own;
              drawingSeconds = secondsBefore + (now - start) / 1e9;
              if (now - saved[0] > SAVE_EVERY) {
                saved[0] = now;
                save();
              }
            }
            return listener.onProgress(progress);
          });
    } finally {
      if (drawn > before) {
        save();
      }
    }
  }

  /** Draws images and tells the listener. */
  @FunctionalInterface
  interface Drawing {
    void run(ProgressListener listener);
  }
}
