// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.Progress;
import dev.motley.ProgressListener;
import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Shows progress: on a terminal one line that is drawn over, elsewhere a line now and then. Gives
 * rate, time left and percent of every stage, under the name of what it works on. Of one that prepares another it says nothing where
 * that takes no time to speak of. Never stops the work.
 *
 * <p>The rate is that of the last half minute, so that it follows a machine that becomes busier;
 * the last line of a stage gives the mean. Units that an earlier run had finished, or that were
 * copied, count as done but not in the rates.
 */
final class ProgressLine implements ProgressListener, AutoCloseable {

  private static final long SECOND = 1_000_000_000L;

  /** How often the line on a terminal is drawn again. */
  private static final long REDRAW = SECOND / 10;

  /** Elsewhere a line soon, then one each tenth of the work, but not more often than the first, or less often than the second. */
  private static final long LINE_SOONEST = 10 * SECOND;

  private static final long LINE_LATEST = 60 * SECOND;

  /** What comes before the work that was asked for: the loading of a model. */
  private static final Set<String> PREPARATIONS = Set.of("load");

  /** How long these take before anything is said of them. */
  private static final long PATIENCE = 2 * SECOND;

  private static final int TENTHS = 10;

  /** What the rate is measured over. */
  private static final long WINDOW = 30 * SECOND;

  private static final int DEFAULT_COLUMNS = 80;
  private static final int BAR = 20;
  private static final int LEAST_BAR = 5;
  private static final String CLEAR_TO_END = "\u001b[K";

  private final PrintWriter err;
  private final boolean terminal;
  private final int columns;
  private final LongSupplier nanoTime;

  private final Deque<Moment> window = new ArrayDeque<>();
  private String subject = "";
  private String stage = "";
  private long stageStart;
  private long lastShown;
  private long lastTenth;
  private boolean shown;
  private boolean finished = true;
  private boolean midLine;

  private record Moment(long time, double amount) {}

  /**
   * @param err where lines go
   * @param terminal whether that is a terminal
   * @param columns its width
   * @param nanoTime the clock, in nanoseconds
   */
  ProgressLine(PrintWriter err, boolean terminal, int columns, LongSupplier nanoTime) {
    this.err = err;
    this.terminal = terminal;
    this.columns = columns;
    this.nanoTime = nanoTime;
  }

  /**
   * On the standard error stream.
   *
   * @param err that stream
   */
  static ProgressLine onStderr(PrintWriter err) {
    Map<String, String> environment = System.getenv();
    return new ProgressLine(err, isTerminal(environment), columns(environment), System::nanoTime);
  }

  /** Java knows only whether both standard streams are a terminal; Linux knows of each. */
  private static boolean isTerminal(Map<String, String> environment) {
    if ("dumb".equals(environment.get("TERM"))) {
      return false;
    }
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException | UnsupportedOperationException e) {
      Console console = System.console();
      return console != null && console.isTerminal();
    }
  }

  private static int columns(Map<String, String> environment) {
    String set = environment.getOrDefault("COLUMNS", "");
    return set.matches("[1-9]\\d{1,3}") ? Integer.parseInt(set) : DEFAULT_COLUMNS;
  }

  @Override
  public boolean onProgress(Progress progress) {
    long now = nanoTime.getAsLong();
    if (finished || !progress.stage().equals(stage) || !progress.subject().equals(subject)) {
      begin(progress, now);
    }
    window.addLast(new Moment(now, progress.amount()));
    while (window.size() > 2 && now - window.getFirst().time() > WINDOW) {
      window.removeFirst();
    }
    boolean done = progress.done() >= progress.total();
    if (!brief(now) && (done || due(progress, now))) {
      show(progress, now, done);
    }
    finished = done;
    return true;
  }

  /** Ends a line that was left unfinished, so that what follows starts on its own. */
  @Override
  public void close() {
    if (midLine) {
      err.println();
      err.flush();
      midLine = false;
    }
    finished = true;
  }

  private void begin(Progress progress, long now) {
    close();
    if (!progress.subject().equals(subject)) {
      subject = progress.subject();
      if (!subject.isEmpty()) {
        err.println(subject);
      }
    }
    stage = progress.stage();
    stageStart = now;
    lastShown = terminal ? now - REDRAW : now;
    shown = false;
    lastTenth = tenth(progress);
    finished = false;
    window.clear();
    window.addLast(new Moment(now, progress.resumed()));
  }

  /** Whether it is a preparation of which nothing is to be said, or not yet. */
  private boolean brief(long now) {
    return !shown && PREPARATIONS.contains(stage) && now - stageStart < PATIENCE;
  }

  private boolean due(Progress progress, long now) {
    long since = now - lastShown;
    if (terminal) {
      return since >= REDRAW;
    }
    if (!shown) {
      return since >= (PREPARATIONS.contains(stage) ? PATIENCE : LINE_SOONEST);
    }
    return since >= LINE_LATEST || (tenth(progress) > lastTenth && since >= LINE_SOONEST);
  }

  private void show(Progress progress, long now, boolean done) {
    lastShown = now;
    lastTenth = tenth(progress);
    shown = true;
    if (!terminal) {
      err.println(done ? summary(progress, now) : running(progress, now, 0));
    } else {
      String text = done ? summary(progress, now) : fitted(progress, now);
      // The last column stays free: a full line would wrap on some terminals.
      String fitted = text.length() < columns ? text : text.substring(0, Math.max(0, columns - 1));
      err.print("\r" + fitted + CLEAR_TO_END + (done ? System.lineSeparator() : ""));
      midLine = !done;
    }
    err.flush();
  }

  /** With a bar as wide as the terminal leaves room for, or none. */
  private String fitted(Progress progress, long now) {
    String text = running(progress, now, BAR);
    int room = BAR - Math.max(0, text.length() - (columns - 1));
    return room == BAR ? text : running(progress, now, room < LEAST_BAR ? 0 : room);
  }

  private String running(Progress progress, long now, int bar) {
    Moment oldest = window.getFirst();
    double rate = rate(progress.amount() - oldest.amount(), now - oldest.time());
    String left =
        rate > 0 ? Durations.text((progress.total() - progress.amount()) / rate) + " left" : "";
    return join(
        stage(progress),
        bar(progress, bar),
        percent(progress),
        counts(progress),
        rateText(rate, progress.unit()),
        left,
        progress.detail());
  }

  private String summary(Progress progress, long now) {
    long worked = progress.done() - progress.resumed();
    if (worked <= 0) {
      return join(stage(progress), counts(progress), "done before");
    }
    String before =
        progress.resumed() > 0
            ? String.format(Locale.ROOT, "%,d done before", progress.resumed())
            : "";
    return join(
        stage(progress),
        String.format(Locale.ROOT, "%,d %s", progress.total(), units(progress)),
        "in " + Durations.text((double) (now - stageStart) / SECOND),
        rateText(rate(worked, now - stageStart), progress.unit()),
        before,
        progress.detail());
  }

  private static String join(String stage, String... parts) {
    var out = new StringBuilder(stage);
    String separator = "  ";
    for (String part : parts) {
      if (!part.isEmpty()) {
        out.append(separator).append(part);
        separator = part.startsWith("[") ? " " : ", ";
      }
    }
    return out.toString();
  }

  private static String stage(Progress progress) {
    return String.format(Locale.ROOT, "%-10s", progress.stage());
  }

  private static String percent(Progress progress) {
    return String.format(Locale.ROOT, "%3d %%", (int) (100 * fraction(progress)));
  }

  private static String bar(Progress progress, int width) {
    int full = (int) (width * fraction(progress));
    return width == 0 ? "" : "[" + "#".repeat(full) + "-".repeat(width - full) + "]";
  }

  private static String counts(Progress progress) {
    return String.format(
        Locale.ROOT, "%,d of %,d %s", progress.done(), progress.total(), units(progress));
  }

  private static String units(Progress progress) {
    String plural = progress.unit();
    return progress.total() == 1 && plural.endsWith("s") ? plural.substring(0, plural.length() - 1) : plural;
  }

  private static String rateText(double rate, String unit) {
    if (!(rate > 0)) {
      return "";
    }
    int decimals = rate >= 100 ? 0 : rate >= 1 ? 1 : 3;
    return String.format(Locale.ROOT, "%,." + decimals + "f %s/s", rate, unit);
  }

  private static double rate(double units, long nanos) {
    return nanos > 0 ? units * SECOND / nanos : 0;
  }

  private static double fraction(Progress progress) {
    return progress.total() <= 0
        ? 1
        : Math.clamp(progress.amount() / progress.total(), 0, 1);
  }

  private static long tenth(Progress progress) {
    return (long) (TENTHS * fraction(progress));
  }
}
