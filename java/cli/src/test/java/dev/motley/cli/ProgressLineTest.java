// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.Progress;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProgressLineTest {

  private static final long SECOND = 1_000_000_000L;

  private final StringWriter shown = new StringWriter();
  private long now = 5 * SECOND;

  @Test
  void aLogGetsALineEachTenthAndOneAtTheEnd() {
    ProgressLine line = line(false, 80);
    for (int done = 0; done <= 1000; done++) {
      assertThat(line.onProgress(images(done, 1000, 0))).isTrue();
      now += SECOND / 10;
    }
    List<String> lines = lines();
    assertThat(lines).hasSize(10);
    assertThat(lines.getFirst())
        .isEqualTo("generate     10 %, 100 of 1,000 images, 10.0 images/s, 1 min 30 s left");
    assertThat(lines.getLast()).isEqualTo("generate    1,000 images, in 1 min 40 s, 10.0 images/s");
    assertThat(shown.toString()).doesNotContain("\r", "\u001b");
  }

  @Test
  void aFastStageGivesOneLineInALog() {
    ProgressLine line = line(false, 80);
    for (int done = 0; done <= 1000; done++) {
      line.onProgress(images(done, 1000, 0));
      now += SECOND / 1000;
    }
    assertThat(lines()).hasSize(1);
  }

  @Test
  void theFirstLineInALogComesSoon() {
    ProgressLine line = line(false, 80);
    for (int done = 0; done < 3; done++) {
      line.onProgress(images(done, 10_000, 0));
      now += 10 * SECOND;
    }
    assertThat(lines()).hasSize(1);
    assertThat(lines().getFirst()).contains("1 of 10,000 images");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aModelThatIsLoadedAtOnceIsNotWorthALine(boolean terminal) {
    ProgressLine line = line(terminal, 80);
    for (long bytes = 0; bytes <= 8_000_000; bytes += 1_000_000) {
      line.onProgress(Progress.ofBytes("load", bytes, 8_000_000, ""));
      now += SECOND / 10;
    }
    line.onProgress(images(1, 1, 0));
    line.close();
    assertThat(shown.toString()).doesNotContain("load").contains("generate");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aModelThatTakesSecondsToLoadIsShownSoon(boolean terminal) {
    ProgressLine line = line(terminal, 120);
    for (int done = 0; done <= 3; done++) {
      assertThat(shown.toString().isEmpty()).isEqualTo(done <= 2);
      line.onProgress(Progress.ofBytes("load", done * 1_000_000_000L, 4_000_000_000L, "unet"));
      now += SECOND;
    }
    assertThat(shown.toString()).contains(" 50 %, 2,000 of 4,000 MB, 1,000 MB/s, 2.0 s left, unet");
    line.onProgress(Progress.ofBytes("load", 4_000_000_000L, 4_000_000_000L, ""));
    assertThat(shown.toString()).endsWith("load        4,000 MB, in 4.0 s, 1,000 MB/s" + (terminal ? "\u001b[K" : "") + System.lineSeparator());
  }

  @Test
  void aSlowStageSaysEachMinuteThatItLives() {
    ProgressLine line = line(false, 80);
    for (int done = 0; done < 50; done++) {
      line.onProgress(images(done, 10_000, 0));
      now += 25 * SECOND;
    }
    assertThat(lines()).hasSizeBetween(15, 21);
    assertThat(lines().getLast()).contains("0.040 images/s", "2 d 21 h left");
  }

  @Test
  void aTerminalGetsOneLineDrawnOver() {
    ProgressLine line = line(true, 120);
    for (int done = 0; done <= 100; done++) {
      line.onProgress(images(done, 100, 0));
      now += SECOND;
    }
    String text = shown.toString();
    assertThat(text).startsWith("\rgenerate    [--------------------]   0 %, 0 of 100 images");
    assertThat(text).contains("\rgenerate    [##########----------]  50 %, 50 of 100 images");
    assertThat(text.chars().filter(c -> c == '\n').count()).isEqualTo(1);
    assertThat(text).endsWith(System.lineSeparator());
    assertThat(text.chars().filter(c -> c == '\r').count()).isEqualTo(101);
  }

  @Test
  void aTerminalIsNotDrawnMoreThanTenTimesASecond() {
    ProgressLine line = line(true, 80);
    for (int done = 0; done < 1000; done++) {
      line.onProgress(images(done, 100_000, 0));
      now += SECOND / 1000;
    }
    assertThat(shown.toString().chars().filter(c -> c == '\r').count()).isEqualTo(10);
  }

  @Test
  void aNarrowTerminalIsNeverFilled() {
    ProgressLine line = line(true, 40);
    for (int done = 0; done < 10; done++) {
      line.onProgress(images(done, 10, 0));
      now += SECOND;
    }
    for (String drawn : shown.toString().split("\r")) {
      assertThat(drawn.replace("\u001b[K", "").length()).isLessThan(40);
    }
  }

  @Test
  void whatWasDoneBeforeIsNotInTheRate() {
    ProgressLine line = line(false, 80);
    line.onProgress(images(900, 1000, 900));
    now += 10 * SECOND;
    line.onProgress(images(1000, 1000, 900));
    assertThat(lines())
        .containsExactly("generate    1,000 images, in 10 s, 10.0 images/s, 900 done before");
  }

  @Test
  void oneOfAKindIsNotInThePlural() {
    line(false, 80).onProgress(images(1, 1, 1));
    assertThat(lines()).containsExactly("generate    1 of 1 image, done before");
  }

  @Test
  void nothingLeftToDo() {
    line(false, 80).onProgress(images(1000, 1000, 1000));
    assertThat(lines()).containsExactly("generate    1,000 of 1,000 images, done before");
  }

  @Test
  void theRateFollowsAMachineThatBecomesBusier() {
    ProgressLine line = line(true, 200);
    for (int done = 0; done < 600; done++) {
      line.onProgress(images(done, 10_000, 0));
      now += SECOND / 10;
    }
    for (int done = 600; done < 700; done++) {
      line.onProgress(images(done, 10_000, 0));
      now += SECOND;
    }
    String last = shown.toString().substring(shown.toString().lastIndexOf('\r'));
    assertThat(last).contains("1.0 images/s");
  }

  @Test
  void theRateCountsTheStepsOfABatch() {
    ProgressLine line = line(true, 200);
    for (int batch = 0; batch < 4; batch++) {
      for (int step = 0; step < 25; step++) {
        line.onProgress(images(50 * batch, 1000, 0).withUnderWay(2 * step));
        now += SECOND;
      }
    }
    List<String> drawn = List.of(shown.toString().split("\r"));
    assertThat(drawn.subList(3, drawn.size())).hasSize(98).allMatch(text -> text.contains(" 2.0 images/s, "));
    assertThat(drawn.getLast()).contains(" 19 %, 150 of 1,000 images, 2.0 images/s, 6 min 41 s left");
  }

  @Test
  void theBarIsNarrowedBeforeAnythingElseIsCut() {
    for (int columns : new int[] {100, 85, 79, 72}) {
      shown.getBuffer().setLength(0);
      ProgressLine line = line(true, columns);
      line.onProgress(images(0, 60_000, 0));
      now += SECOND;
      line.onProgress(images(10, 60_000, 0));
      String last = shown.toString().substring(shown.toString().lastIndexOf('\r') + 1).replace("\u001b[K", "");
      assertThat(last).hasSizeLessThan(columns).contains("%, 10 of 60,000 images, 10.0 images/s, 1 h 40 min left");
      assertThat(last.contains("[-")).isEqualTo(columns >= 79);
    }
  }

  @Test
  void stagesFollowOneAnotherAndDetailsAreShown() {
    ProgressLine line = line(true, 100);
    line.onProgress(images(1, 10, 0));
    line.onProgress(new Progress("train", 1, 2, 0, "steps", "loss 2.303"));
    line.close();
    line.close();
    assertThat(shown.toString().chars().filter(c -> c == '\n').count()).isEqualTo(2);
    assertThat(shown.toString())
        .contains("train       [##########----------]  50 %, 1 of 2 steps")
        .contains("loss 2.303");
  }

  @Test
  void whatAStageWorksOnIsSaidAboveIt() {
    ProgressLine line = line(false, 80);
    line.onProgress(images(10, 10, 10).on("Base class"));
    line.onProgress(images(20, 20, 20).on("All tricks"));
    line.onProgress(new Progress("train", 2, 2, 2, "steps", "").on("All tricks"));
    line.onProgress(new Progress("train", 2, 2, 2, "steps", "").on("Base class"));
    assertThat(lines())
        .containsExactly(
            "Base class",
            "generate    10 of 10 images, done before",
            "All tricks",
            "generate    20 of 20 images, done before",
            "train       2 of 2 steps, done before",
            "Base class",
            "train       2 of 2 steps, done before");
  }

  @Test
  void durationsHaveTwoUnitsAtMost() {
    assertThat(Durations.text(0.04)).isEqualTo("0.0 s");
    assertThat(Durations.text(9.94)).isEqualTo("9.9 s");
    assertThat(Durations.text(9.96)).isEqualTo("10 s");
    assertThat(Durations.text(59.6)).isEqualTo("1 min 0 s");
    assertThat(Durations.text(3599.7)).isEqualTo("1 h 0 min");
    assertThat(Durations.text(12_000)).isEqualTo("3 h 20 min");
    assertThat(Durations.text(86_399)).isEqualTo("1 d 0 h");
    assertThat(Durations.text(370_000)).isEqualTo("4 d 7 h");
  }

  private ProgressLine line(boolean terminal, int columns) {
    return new ProgressLine(new PrintWriter(shown), terminal, columns, () -> now);
  }

  private List<String> lines() {
    return shown.toString().lines().toList();
  }

  private static Progress images(long done, long total, long resumed) {
    return new Progress("generate", done, total, resumed, "images", "");
  }
}
