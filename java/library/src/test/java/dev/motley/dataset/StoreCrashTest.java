// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * However a store is interrupted, what was committed stays, and the end is the same, byte by byte.
 */
class StoreCrashTest {

  /** 36 images in shards of 5: seven whole ones and one of a single image. */
  private static final StoreHeader HEADER = StoreFixture.header(3, 5);

  @TempDir Path temporary;

  /** Dies at every operation in turn; the next run finishes. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void survivesADeathAtAnyOperation(boolean powerLoss) throws IOException {
    Map<String, String> expected =
        StoreFixture.contents(StoreFixture.whole(temporary.resolve("whole"), HEADER));
    int operation = 0;
    boolean died = true;
    for (; died; operation++) {
      Path folder = temporary.resolve("crashed");
      var files = FailingFiles.dyingAt(operation, new Random(operation));
      int promised = run(folder, files, new Random(operation), powerLoss);
      died = files.isDead();
      try (StoreWriter writer = StoreFixture.open(folder, HEADER)) {
        assertThat(writer.nextPosition()).isGreaterThanOrEqualTo(promised);
        StoreFixture.finish(writer, HEADER.plan(), 7, new Random(-operation));
      }
      assertThat(StoreFixture.contents(folder)).as("operation %d", operation).isEqualTo(expected);
      StoreFixture.delete(folder);
    }
    assertThat(operation).isGreaterThan(100);
  }

  /** Dies again and again, while recovering too. */
  @Test
  void survivesDeathsOneAfterTheOther() throws IOException {
    Map<String, String> expected =
        StoreFixture.contents(StoreFixture.whole(temporary.resolve("whole"), HEADER));
    for (int seed = 0; seed < 12; seed++) {
      var random = new Random(seed);
      Path folder = temporary.resolve("crashed");
      int promised = 0;
      boolean died = true;
      while (died) {
        var files = FailingFiles.dyingAt(random.nextInt(25), random);
        int now = run(folder, files, random, true);
        promised = Math.max(promised, now);
        died = files.isDead();
        if (Files.exists(folder.resolve(StoreHeader.FILE))) {
          assertThat(SyntheticStore.open(folder).entries()).hasSizeGreaterThanOrEqualTo(promised);
        }
      }
      assertThat(StoreFixture.contents(folder)).as("seed %d", seed).isEqualTo(expected);
      assertThat(SyntheticStore.verify(folder).isSound()).isTrue();
      StoreFixture.delete(folder);
    }
  }

  /** Writes until the file system dies or all is stored; returns what the last commit promised. */
  private static int run(Path folder, FailingFiles files, Random random, boolean powerLoss)
      throws IOException {
    int promised = 0;
    try (StoreWriter writer = StoreRecovery.open(folder, HEADER, files)) {
      promised = writer.nextPosition();
      while (!writer.isComplete()) {
        int from = writer.nextPosition();
        int to = Math.min(HEADER.plan().size(), from + 1 + random.nextInt(4));
        StoreFixture.append(writer, HEADER.plan(), from, to, random);
        promised = writer.commit();
      }
    } catch (ResourceException e) {
      assertThat(files.isDead()).isTrue();
    }
    if (powerLoss && files.isDead()) {
      files.losePower();
    }
    return promised;
  }

  /** A store that came to nothing becomes that of another plan, whenever that is interrupted. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anotherPlanTakesAnEmptyStoreOver(boolean powerLoss) throws IOException {
    Map<String, String> expected =
        StoreFixture.contents(StoreFixture.whole(temporary.resolve("whole"), HEADER));
    boolean died = true;
    for (int operation = 0; died && operation < 40; operation++) {
      Path folder = temporary.resolve("taken");
      SyntheticStore.create(folder, StoreFixture.header(1, 2)).close();
      Files.write(StoreShard.part(folder, 0), new byte[700]);
      var files = FailingFiles.dyingAt(operation, new Random(operation));
      run(folder, files, new Random(operation), powerLoss);
      died = files.isDead();
      try (StoreWriter writer = StoreFixture.open(folder, HEADER)) {
        StoreFixture.finish(writer, HEADER.plan(), 7, new Random(-operation));
      }
      assertThat(StoreFixture.contents(folder)).as("operation %d", operation).isEqualTo(expected);
      StoreFixture.delete(folder);
    }
  }

  /**
   * A journal cut at any byte of its tail goes on by itself; one cut further up, after a repair.
   */
  @Test
  void survivesAJournalCutAtAnyByte() throws IOException {
    Path half = temporary.resolve("half");
    try (StoreWriter writer = StoreFixture.open(half, HEADER)) {
      StoreFixture.append(writer, HEADER.plan(), 0, 13, new Random(3));
    }
    Map<String, String> expected =
        StoreFixture.contents(StoreFixture.whole(temporary.resolve("whole"), HEADER));
    byte[] journal = Files.readAllBytes(StoreJournal.file(half));
    int lastShardLine = new String(journal, StandardCharsets.US_ASCII).lastIndexOf("\nshard") + 1;
    assertThat(StoreJournal.read(StoreJournal.file(half)).shards()).hasSize(2);
    int repaired = 0;
    for (int cut = 0; cut < journal.length; cut += cut < lastShardLine - 40 ? 29 : 1) {
      Path folder = temporary.resolve("cut");
      StoreFixture.copy(half, folder);
      Files.write(StoreJournal.file(folder), Arrays.copyOf(journal, cut));
      boolean asked = finishAfterRepair(folder);
      repaired += asked ? 1 : 0;
      // Only a cut inside a finished shard's images, which no interruption makes, asks for a
      // repair.
      assertThat(asked && cut >= lastShardLine).as("cut at %d", cut).isFalse();
      assertThat(StoreFixture.contents(folder)).as("cut at %d", cut).isEqualTo(expected);
      StoreFixture.delete(folder);
    }
    assertThat(repaired).isPositive();
  }

  private static boolean finishAfterRepair(Path folder) {
    try (StoreWriter writer = StoreFixture.open(folder, HEADER)) {
      StoreFixture.finish(writer, HEADER.plan(), 9, new Random(1));
      return false;
    } catch (InvalidInputException e) {
      assertThat(e.getMessage()).contains("is damaged").contains("'verify --repair'");
    }
    assertThat(SyntheticStore.verify(folder).isSound()).isFalse();
    StoreReport report = SyntheticStore.repair(folder);
    assertThat(report.problems()).isEmpty();
    assertThat(report.repairs()).isNotEmpty();
    try (StoreWriter writer = StoreFixture.open(folder, HEADER)) {
      assertThat(writer.nextPosition()).isEqualTo(report.stored());
      StoreFixture.finish(writer, HEADER.plan(), 9, new Random(1));
    }
    return true;
  }

  @Test
  void aFullDiskIsOneErrorAndLosesNothing() throws IOException {
    Map<String, String> expected =
        StoreFixture.contents(StoreFixture.whole(temporary.resolve("whole"), HEADER));
    long header = Files.size(temporary.resolve("whole").resolve(StoreHeader.FILE));
    for (long room = header; room < 60_000; room += 1777) {
      Path folder = temporary.resolve("full");
      try (StoreWriter writer =
          StoreRecovery.open(folder, HEADER, FailingFiles.withRoomFor(room))) {
        assertThatThrownBy(() -> StoreFixture.finish(writer, HEADER.plan(), 4, new Random(1)))
            .isInstanceOf(ResourceException.class)
            .hasMessageContaining("no space left on device")
            .hasMessageContaining(writer.nextPosition() + " of 36 images are safe");
        assertThatThrownBy(writer::commit).isInstanceOf(IllegalStateException.class);
        StoreReport now = reportBesideWriter(folder);
        assertThat(now.stored()).isEqualTo(writer.nextPosition());
      } catch (ResourceException e) {
        assertThat(e.getMessage()).contains("no space left on device");
      }
      assertThat(SyntheticStore.open(folder).entries()).hasSizeLessThan(36);
      try (StoreWriter writer = StoreFixture.open(folder, HEADER)) {
        StoreFixture.finish(writer, HEADER.plan(), 4, new Random(1));
      }
      assertThat(StoreFixture.contents(folder)).as("room %d", room).isEqualTo(expected);
      StoreFixture.delete(folder);
    }
  }

  @Test
  void anInterruptedThreadIsACancellation() {
    Path folder = temporary.resolve("interrupted");
    StoreWriter writer = SyntheticStore.create(folder, HEADER);
    StoreFixture.append(writer, HEADER.plan(), 0, 8, new Random(1));
    writer.commit();
    StoreFixture.append(writer, HEADER.plan(), 8, 12, new Random(1));
    Thread.currentThread().interrupt();
    assertThatThrownBy(writer::commit)
        .isInstanceOf(CancelledException.class)
        .hasMessageContaining("8 of 36 images are safe");
    assertThat(Thread.interrupted()).isTrue();
    writer.close();
    try (StoreWriter second = StoreFixture.open(folder, HEADER)) {
      assertThat(second.nextPosition()).isEqualTo(8);
      StoreFixture.finish(second, HEADER.plan(), 9, new Random(1));
    }
    assertThat(StoreFixture.contents(folder))
        .isEqualTo(StoreFixture.contents(StoreFixture.whole(temporary.resolve("whole"), HEADER)));
  }

  /** What a reader sees of a store whose writer has failed but not let go. */
  private static StoreReport reportBesideWriter(Path folder) {
    SyntheticStore store = SyntheticStore.open(folder);
    store
        .entries()
        .forEach(e -> assertThat(store.png(e)).isEqualTo(StoreFixture.png(e.position())));
    return new StoreReport("", 36, store.entries().size(), 0, 0, List.of(), List.of(), Optional.empty());
  }

  /** The real thing: a child process killed by SIGKILL at random moments until the work is done. */
  @Test
  void survivesSigkillAtRandomMoments() throws IOException, InterruptedException {
    StoreHeader header = StoreFixture.header(StoreCrashChild.PER_CLASS, StoreCrashChild.PER_SHARD);
    Map<String, String> expected =
        StoreFixture.contents(StoreFixture.whole(temporary.resolve("whole"), header));
    Path folder = temporary.resolve("killed");
    Path said = temporary.resolve("said");
    var random = new Random(11);
    int kills = 0;
    for (boolean done = false; !done; ) {
      Process child = StoreCrashChild.start(folder, said);
      int commits = 1 + random.nextInt(8);
      while (child.isAlive() && lines(said).size() < commits) {
        Thread.sleep(1);
      }
      Thread.sleep(0, random.nextInt(900_000));
      child.destroyForcibly();
      assertThat(child.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(child.exitValue()).isIn(0, 128 + 9);
      done = child.exitValue() == 0;
      kills += done ? 0 : 1;
      assertThat(SyntheticStore.open(folder).entries())
          .hasSizeGreaterThanOrEqualTo(
              lines(said).stream().mapToInt(Integer::parseInt).max().orElse(0));
    }
    assertThat(kills).isGreaterThan(3);
    assertThat(StoreFixture.contents(folder)).isEqualTo(expected);
    assertThat(SyntheticStore.verify(folder).isComplete()).isTrue();
  }

  /** The whole lines the child has written. */
  private static List<String> lines(Path said) throws IOException {
    String text = Files.readString(said);
    return text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
  }
}
