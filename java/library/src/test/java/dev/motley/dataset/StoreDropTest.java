// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.diffusion.Quality;
import dev.motley.tricks.GenerationPlan;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Stores that lack some images of their plan: single ones, whole shards, the last. */
class StoreDropTest {

  /** 36 images in shards of 5. */
  private static final StoreHeader PLAIN = StoreFixture.header(3, 5);

  private static final GenerationPlan PLAN = PLAIN.plan();
  private static final StoreHeader HEADER =
      new StoreHeader(PLAN, PLAIN.modelHash(), Map.of("safety", "drop", "safety-checker", "abc"), PLAIN.versions(), 5);

  /** The second and the last shard have no image at all. */
  private static final Set<Integer> DROPPED = Set.of(0, 5, 6, 7, 8, 9, 17, 22, 23, 35);

  private static final List<Attempt> ATTEMPTS =
      List.of(
          new Attempt(-5, Flaw.of(Quality.CONSTANT)),
          new Attempt(0xffff_ffffL, Flaw.flagged(Map.of(3, 0.012, 11, 0.001))));

  @TempDir Path temporary;

  private static void write(StoreWriter writer, int batch, Random random) {
    while (!writer.isComplete()) {
      int from = writer.nextPosition();
      int to = Math.min(PLAN.size(), from + 1 + random.nextInt(batch));
      for (int i = from; i < to; i++) {
        if (DROPPED.contains(i)) {
          writer.drop(i, PLAN.image(i).key(), ATTEMPTS);
        } else {
          StoreFixture.append(writer, PLAN, i, i + 1, random);
        }
      }
      writer.commit();
    }
  }

  private static void finish(Path folder, int seed) {
    try (StoreWriter writer = StoreFixture.open(folder, HEADER)) {
      write(writer, 7, new Random(seed));
    }
  }

  private Path whole() {
    Path folder = temporary.resolve("whole");
    if (!Files.exists(folder)) {
      finish(folder, 1);
    }
    return folder;
  }

  @Test
  void whatIsLeftOutIsNotedAndNotMissing() throws IOException {
    StoreReport report = SyntheticStore.verify(whole());
    assertThat(report.problems()).isEmpty();
    assertThat(report.isComplete()).isTrue();
    assertThat(report.stored()).isEqualTo(26);
    assertThat(report.dropped()).isEqualTo(10);
    assertThat(report.safety().orElseThrow().total()).isEqualTo(new SafetyCounts(36, 10, 10, 0));
    SyntheticStore store = SyntheticStore.open(whole());
    assertThat(store.dropped()).extracting(StoreDrop::position).containsExactlyInAnyOrderElementsOf(DROPPED);
    assertThat(store.dropped()).extracting(StoreDrop::attempts).containsOnly(ATTEMPTS);
    assertThat(store.entries())
        .extracting(StoreEntry::position)
        .containsExactlyElementsOf(IntStream.range(0, 36).filter(i -> !DROPPED.contains(i)).boxed().toList());
    store.entries().forEach(entry -> assertThat(store.png(entry)).isEqualTo(StoreFixture.png(entry.position())));
    for (int shard = 0; shard < 8; shard++) {
      int own = shard;
      try (var tar = new TarArchiveInputStream(Files.newInputStream(StoreShard.file(whole(), shard)))) {
        for (StoreEntry entry : store.entries().stream().filter(e -> e.shard() == own).toList()) {
          assertThat(tar.getNextEntry()).extracting(TarArchiveEntry::getName).isEqualTo(entry.key() + ".png");
          assertThat(tar.getNextEntry()).extracting(TarArchiveEntry::getName).isEqualTo(entry.key() + ".json");
        }
        assertThat(tar.getNextEntry()).isNull();
      }
    }
  }

  /** Dies at every operation in turn; the next run finishes. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void survivesADeathAtAnyOperation(boolean powerLoss) throws IOException {
    Map<String, String> expected = StoreFixture.contents(whole());
    boolean died = true;
    int operation = 0;
    for (; died; operation++) {
      Path folder = temporary.resolve("crashed");
      var files = FailingFiles.dyingAt(operation, new Random(operation));
      try (StoreWriter writer = StoreRecovery.open(folder, HEADER, files)) {
        write(writer, 4, new Random(operation));
      } catch (ResourceException e) {
        assertThat(files.isDead()).isTrue();
      }
      died = files.isDead();
      if (powerLoss && died) {
        files.losePower();
      }
      finish(folder, -operation);
      assertThat(StoreFixture.contents(folder)).as("operation %d", operation).isEqualTo(expected);
      StoreFixture.delete(folder);
    }
    assertThat(operation).isGreaterThan(100);
  }

  /** Whatever is lost of it, a repair keeps what is whole and the next run draws the rest. */
  @Test
  void isRepairedFromAnyCut() throws IOException {
    Map<String, String> expected = StoreFixture.contents(whole());
    byte[] journal = Files.readAllBytes(StoreJournal.file(whole()));
    for (int cut = 0; cut < journal.length; cut += 23) {
      Path folder = temporary.resolve("cut");
      StoreFixture.copy(whole(), folder);
      Files.write(StoreJournal.file(folder), java.util.Arrays.copyOf(journal, cut));
      StoreReport report = SyntheticStore.repair(folder);
      assertThat(report.problems()).as("cut at %d", cut).isEmpty();
      assertThat(SyntheticStore.repair(folder).repairs()).as("cut at %d", cut).isEmpty();
      finish(folder, cut);
      assertThat(StoreFixture.contents(folder)).as("cut at %d", cut).isEqualTo(expected);
      StoreFixture.delete(folder);
    }
  }

  @Test
  void aDamagedImageBetweenDropsIsFoundAndRepaired() throws IOException {
    Map<String, String> expected = StoreFixture.contents(whole());
    Path folder = temporary.resolve("damaged");
    StoreFixture.copy(whole(), folder);
    Path shard = StoreShard.file(folder, 4);
    byte[] bytes = Files.readAllBytes(shard);
    bytes[TarBlocks.BLOCK + 9] ^= 1; // of image 20
    Files.write(shard, bytes);
    StoreReport found = SyntheticStore.verify(folder);
    assertThat(found.problems()).anyMatch(problem -> problem.contains("image 20 ")).noneMatch(p -> p.contains("image 22"));
    assertThat(found.stored()).isEqualTo(13);
    assertThat(found.dropped()).isEqualTo(7);
    assertThat(found.isComplete()).isFalse();
    assertThat(found.safety().orElseThrow().total()).isEqualTo(new SafetyCounts(20, 7, 7, 0));
    SyntheticStore.repair(folder);
    finish(folder, 3);
    assertThat(StoreFixture.contents(folder)).isEqualTo(expected);
  }

  @Test
  void nothingIsLeftOutWithoutAPolicyOrAFlag() throws IOException {
    try (StoreWriter writer = StoreFixture.open(temporary.resolve("plain"), PLAIN)) {
      assertThatThrownBy(() -> writer.drop(0, PLAN.image(0).key(), ATTEMPTS))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("cannot be left out: the safety policy is 'off'");
    }
    Path folder = temporary.resolve("plain");
    String line = StoreJournal.line(new StoreDrop(0, PLAN.image(0).key(), 0, 0, ATTEMPTS));
    Files.writeString(
        StoreJournal.file(folder), Files.readString(StoreJournal.file(folder)) + line, StandardCharsets.US_ASCII);
    assertThat(SyntheticStore.verify(folder).problems()).anyMatch(problem -> problem.contains("left out of shard 0"));
    assertThatThrownBy(() -> StoreFixture.open(folder, PLAIN)).hasMessageContaining("image 0 is not the plan's");
    assertThatThrownBy(() -> new StoreDrop(0, "key", 0, 0, ATTEMPTS.subList(0, 1)))
        .hasMessage("image 'key' is left out, but its last picture was not flagged");
  }
}
