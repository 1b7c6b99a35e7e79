// SPDX-License-Identifier: Apache-2.0
package dev.motley;

/**
 * How far a long piece of work has come.
 *
 * @param subject what the stage works on where several are worked on in turn, such as the name of a set; else empty
 * @param stage what is being done, in a word or two, for people ("denoise", "train")
 * @param done units finished, counting what needed no work in this run
 * @param total units in all
 * @param resumed units of {@code done} that needed no work: finished before this run began, or copied; rates leave them out
 * @param unit what is counted ("images", "steps"), in the plural
 * @param detail a few words more, such as the current loss; may be empty
 * @param underWay units beyond {@code done} that the work on unfinished ones amounts to, such as half of a batch after half of its steps
 */
public record Progress(
    String subject, String stage, long done, long total, long resumed, String unit, String detail, double underWay) {

  private static final long MEGABYTE = 1_000_000;

  /** Of work that has one subject only. */
  public Progress(String stage, long done, long total, long resumed, String unit, String detail) {
    this("", stage, done, total, resumed, unit, detail, 0);
  }

  /**
   * Of bytes, counted in MB of 10^6. The last MB is done when all bytes are, and not before.
   *
   * @param stage what is being done
   * @param done bytes
   * @param total bytes
   * @param detail a few words more; may be empty
   */
  public static Progress ofBytes(String stage, long done, long total, String detail) {
    long last = Math.max(1, total / MEGABYTE);
    return new Progress(stage, done == total ? last : Math.min(last - 1, done / MEGABYTE), last, 0, "MB", detail);
  }

  /** The same of one of several subjects. */
  public Progress on(String name) {
    return new Progress(name, stage, done, total, resumed, unit, detail, underWay);
  }

  /** The same with work on unfinished units, never more than is left. */
  public Progress withUnderWay(double units) {
    return new Progress(subject, stage, done, total, resumed, unit, detail, Math.clamp(units, 0, Math.max(0, total - done)));
  }

  /** Units that the work done so far amounts to. */
  public double amount() {
    return done + underWay;
  }
}
