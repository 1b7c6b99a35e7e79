// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.diffusion.Quality;
import dev.motley.tricks.GenerationPlan;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SyntheticStoreTest {

  private static final StoreHeader HEADER = StoreFixture.header(3, 5);

  @TempDir Path temporary;

  private Path whole() {
    return StoreFixture.whole(temporary.resolve("store"), HEADER);
  }

  @Test
  void givesBackWhatWasWritten() {
    SyntheticStore store = SyntheticStore.open(whole());
    assertThat(store.isComplete()).isTrue();
    assertThat(store.header()).isEqualTo(SyntheticStore.open(store.folder()).header());
    assertThat(store.header().plan()).isEqualTo(HEADER.plan());
    assertThat(store.entries()).hasSize(36);
    for (StoreEntry entry : store.entries()) {
      int i = entry.position();
      assertThat(entry.key()).isEqualTo(HEADER.plan().image(i).key());
      assertThat(entry.shard()).isEqualTo(i / 5);
      assertThat(store.png(entry)).isEqualTo(StoreFixture.png(i));
      assertThat(store.json(entry)).isEqualTo(StoreFixture.json(HEADER.plan(), i));
      assertThat(store.planned(entry)).isEqualTo(HEADER.plan().image(i));
    }
  }

  /**
   * Another reader of tar agrees, name by name; its owner and times say nothing of this machine.
   */
  @Test
  void shardsAreTarFilesInWebDatasetsLayout() throws IOException {
    Path folder = whole();
    int position = 0;
    for (int shard = 0; shard < 8; shard++) {
      try (InputStream in = Files.newInputStream(StoreShard.file(folder, shard));
          var tar = new TarArchiveInputStream(in)) {
        for (TarArchiveEntry e = tar.getNextEntry(); e != null; e = tar.getNextEntry()) {
          String key = HEADER.plan().image(position).key();
          assertThat(e.getName()).isEqualTo(key + ".png");
          assertThat(e.isFile()).isTrue();
          assertThat(e.isCheckSumOK()).isTrue();
          assertThat(e.getLastModifiedDate().getTime()).isZero();
          assertThat(e.getLongUserId() + e.getLongGroupId()).isZero();
          assertThat(e.getMode() & 0777).isEqualTo(0644);
          assertThat(tar.readAllBytes()).isEqualTo(StoreFixture.png(position));
          e = tar.getNextEntry();
          assertThat(e.getName()).isEqualTo(key + ".json");
          assertThat(tar.readAllBytes()).isEqualTo(StoreFixture.json(HEADER.plan(), position));
          position++;
        }
      }
    }
    assertThat(position).isEqualTo(36);
  }

  @Test
  void theJsonTellsThePlannedImageAndWhatWasRedone() {
    var image = HEADER.plan().image(0);
    String plain = new String(StoreRecord.json(image, List.of(), Optional.empty()), StandardCharsets.UTF_8);
    assertThat(plain)
        .contains("\"key\":\"" + image.key() + "\"")
        .contains("\"class\":\"猫\"")
        .contains("\"guidance\":7.5")
        .doesNotContain("redone")
        .endsWith("}\n");
    String redone =
        new String(
            StoreRecord.json(
                HEADER.plan().retry(image, 1),
                List.of(new Attempt(image.seed(), Flaw.of(Quality.CONSTANT))),
                Optional.empty()),
            StandardCharsets.UTF_8);
    assertThat(redone)
        .contains("\"redone\":[{\"because\":\"constant\",\"seed\":0}]")
        .contains("\"seed\":1,");
  }

  @Test
  void imagesMayComeInAnyOrderAndAreWrittenInThePlans() {
    GenerationPlan plan = HEADER.plan();
    try (StoreWriter writer = SyntheticStore.create(temporary.resolve("a"), HEADER)) {
      StoreFixture.append(writer, plan, 7, 36, new Random(1));
      assertThat(writer.commit()).isZero();
      StoreFixture.append(writer, plan, 1, 7, new Random(1));
      assertThat(writer.commit()).isZero();
      StoreFixture.append(writer, plan, 0, 1, new Random(1));
      assertThat(writer.nextPosition()).isZero();
      assertThat(writer.commit()).isEqualTo(36);
      assertThat(writer.isComplete()).isTrue();
    }
    assertThat(StoreFixture.contents(temporary.resolve("a")))
        .isEqualTo(StoreFixture.contents(whole()));
  }

  @Test
  void closingCommitsWhatIsThereAndDropsWhatWaits() {
    Path folder = temporary.resolve("a");
    StoreWriter first = SyntheticStore.create(folder, HEADER);
    StoreFixture.append(first, HEADER.plan(), 0, 3, new Random(1));
    StoreFixture.append(first, HEADER.plan(), 4, 9, new Random(1));
    first.close();
    first.close();
    assertThat(SyntheticStore.open(folder).entries()).hasSize(3);
    assertThat(SyntheticStore.open(folder).isComplete()).isFalse();
    try (StoreWriter second = SyntheticStore.create(folder, HEADER)) {
      assertThat(second.nextPosition()).isEqualTo(3);
    }
    assertThatThrownBy(first::commit).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void refusesImagesThatAreNotThePlans() {
    try (StoreWriter writer = SyntheticStore.create(temporary.resolve("a"), HEADER)) {
      byte[] png = StoreFixture.png(0);
      byte[] json = StoreFixture.json(HEADER.plan(), 0);
      String key = HEADER.plan().image(0).key();
      assertThatThrownBy(() -> writer.append(1, key, png, json))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("found '" + key + "'");
      assertThatThrownBy(() -> writer.append(36, key, png, json)).hasMessageContaining("36 images");
      assertThatThrownBy(() -> writer.append(0, key, new byte[0], json))
          .hasMessageContaining("without PNG");
      writer.append(0, key, png, json);
      assertThatThrownBy(() -> writer.append(0, key, png, json))
          .hasMessageContaining("handed over before");
      writer.commit();
      assertThatThrownBy(() -> writer.append(0, key, png, json))
          .hasMessageContaining("handed over before");
    }
  }

  @Test
  void aLateImageBoundsTheMemoryHeld() {
    StoreHeader large = StoreFixture.header(1000, 1000);
    try (StoreWriter writer = SyntheticStore.create(temporary.resolve("a"), large)) {
      int last = StoreWriter.WINDOW - 1;
      writer.append(last, large.plan().image(last).key(), new byte[1], new byte[1]);
      assertThatThrownBy(
              () ->
                  writer.append(
                      last + 1, large.plan().image(last + 1).key(), new byte[1], new byte[1]))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("image 0 has not come yet");
    }
  }

  @Test
  void refusesAFolderOfAnotherPlanModelOrConfig() {
    Path folder = whole();
    StoreHeader otherPlan = StoreFixture.header(2, 5);
    assertThatThrownBy(() -> SyntheticStore.create(folder, otherPlan))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageMatching("folder .* belongs to another plan: spec\\.tricks\\.[a-z-]+ is \\d+, asked for is \\d+; choose another folder");
    assertThatThrownBy(() -> SyntheticStore.create(folder, with("ffff", HEADER.config(), 5)))
        .hasMessageContaining("another model: it has 0123456789abcdef, asked for is ffff");
    var config = new java.util.HashMap<>(HEADER.config());
    config.put("precision", "bf16");
    assertThatThrownBy(() -> SyntheticStore.create(folder, with(HEADER.modelHash(), config, 5)))
        .hasMessageContaining("drawn with precision = \"fp32\", asked for is \"bf16\"");
    config.remove("precision");
    assertThatThrownBy(() -> SyntheticStore.create(folder, with(HEADER.modelHash(), config, 5)))
        .hasMessageContaining("precision = \"fp32\", asked for is null");
    assertThatThrownBy(
            () -> SyntheticStore.create(folder, with(HEADER.modelHash(), HEADER.config(), 6)))
        .hasMessageContaining("5 images per shard");
    // Another program version may go on.
    StoreHeader newer =
        new StoreHeader(
            HEADER.plan(), HEADER.modelHash(), HEADER.config(), Map.of("motley", "2"), 5);
    SyntheticStore.create(folder, newer).close();
    assertThat(SyntheticStore.open(folder).header().versions()).containsEntry("motley", "test");
  }

  private static StoreHeader with(String modelHash, Map<String, Object> config, int perShard) {
    return new StoreHeader(HEADER.plan(), modelHash, config, HEADER.versions(), perShard);
  }

  @Test
  void refusesAFolderOfSomethingElseAndLeavesItAlone() throws IOException {
    Path folder = Files.createDirectories(temporary.resolve("photos"));
    Files.writeString(folder.resolve("cat.jpg"), "x");
    assertThatThrownBy(() -> SyntheticStore.create(folder, HEADER))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("holds 'cat.jpg' and is no synthetic store");
    assertThat(StoreRecovery.names(folder)).containsExactly("cat.jpg");
    assertThatThrownBy(() -> SyntheticStore.create(folder.resolve("cat.jpg"), HEADER))
        .hasMessageContaining("is a file: expected a folder");
    assertThatThrownBy(() -> SyntheticStore.open(folder))
        .hasMessageContaining("has no dataset.json");
    assertThatThrownBy(() -> SyntheticStore.verify(temporary.resolve("absent")))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> SyntheticStore.repair(folder))
        .isInstanceOf(InvalidInputException.class);
    assertThat(StoreRecovery.names(folder)).containsExactly("cat.jpg");
  }

  /** A plan that came to nothing must not keep its folder; one whose images lost their journal must. */
  @Test
  void aStoreWithoutAnImageMayBecomeThatOfAnotherPlan() throws IOException {
    Path folder = temporary.resolve("a");
    SyntheticStore.create(folder, with("another", HEADER.config(), 5)).close();
    assertThat(SyntheticStore.holdsImages(folder)).isFalse();
    StoreFixture.whole(folder, HEADER);
    assertThat(SyntheticStore.holdsImages(folder)).isTrue();
    assertThat(StoreFixture.contents(folder)).isEqualTo(StoreFixture.contents(whole()));
    Files.delete(StoreJournal.file(folder));
    assertThatThrownBy(() -> SyntheticStore.create(folder, with("another", HEADER.config(), 5)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("was drawn by another model");
    assertThat(StoreShard.file(folder, 0)).exists();
    assertThat(SyntheticStore.holdsImages(folder)).isTrue();
  }

  @Test
  void anErrorWhileOpeningLetsTheFolderGo() {
    var error = new AssertionError("from the file system");
    StoreFiles broken =
        (StoreFiles)
            Proxy.newProxyInstance(
                StoreFiles.class.getClassLoader(),
                new Class<?>[] {StoreFiles.class},
                (proxy, method, arguments) -> {
                  throw error;
                });
    Path folder = temporary.resolve("a");
    assertThatThrownBy(() -> StoreRecovery.open(folder, HEADER, broken)).isSameAs(error);
    SyntheticStore.create(folder, HEADER).close();
  }

  @Test
  void oneWriterAtATimeInThisProcess() {
    Path folder = temporary.resolve("a");
    try (StoreWriter writer = SyntheticStore.create(folder, HEADER)) {
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(() -> SyntheticStore.create(folder, HEADER))
            .isInstanceOf(InvalidInputException.class)
            .hasMessageContaining("is being written");
        assertThatThrownBy(() -> SyntheticStore.repair(folder))
            .hasMessageContaining("is being written");
      }
      assertThat(writer.isComplete()).isFalse();
      assertThat(SyntheticStore.open(folder).entries()).isEmpty();
    }
    SyntheticStore.create(folder, HEADER).close();
  }

  /** The lock holds against other processes, and after readers here have come and gone. */
  @Test
  void oneWriterAtATimeAmongProcesses() throws IOException, InterruptedException {
    Path folder = temporary.resolve("a");
    StoreHeader header = StoreFixture.header(StoreCrashChild.PER_CLASS, StoreCrashChild.PER_SHARD);
    try (StoreWriter writer = SyntheticStore.create(folder, header)) {
      StoreFixture.append(writer, header.plan(), 0, 3, new Random(1));
      writer.commit();
      SyntheticStore.open(folder);
      assertThatThrownBy(() -> SyntheticStore.create(folder, header))
          .hasMessageContaining("is being written");
      Process child = StoreCrashChild.start(folder, temporary.resolve("said"));
      assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(child.exitValue()).isEqualTo(1);
      assertThat(Files.readString(temporary.resolve("errors")))
          .contains("is being written by another process");
      assertThat(writer.nextPosition()).isEqualTo(3);
    }
    Process child = StoreCrashChild.start(folder, temporary.resolve("said"));
    assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(child.exitValue()).isZero();
    assertThat(SyntheticStore.open(folder).isComplete()).isTrue();
  }

  /** Every byte of every file counts: a changed one is found, and a repair makes it good. */
  @Test
  void verifyFindsAChangeAtAnyByte() throws IOException {
    Path sound = temporary.resolve("sound");
    try (StoreWriter writer = SyntheticStore.create(sound, HEADER)) {
      StoreFixture.append(writer, HEADER.plan(), 0, 13, new Random(3));
    }
    assertThat(SyntheticStore.verify(sound).problems()).isEmpty();
    Path folder = temporary.resolve("changed");
    StoreFixture.copy(sound, folder);
    var random = new Random(5);
    for (String name : List.of("journal", "000000.tar", "000001.tar", "000002.tar.part")) {
      byte[] bytes = Files.readAllBytes(folder.resolve(name));
      for (int at : random.ints(60, 0, bytes.length).toArray()) {
        byte[] changed = bytes.clone();
        changed[at] ^= (byte) (1 << random.nextInt(8));
        Files.write(folder.resolve(name), changed);
        assertThat(SyntheticStore.verify(folder).problems())
            .as("%s at %d", name, at)
            .anyMatch(p -> p.startsWith(name));
      }
      Files.write(folder.resolve(name), bytes);
    }
  }

  @Test
  void repairKeepsAllBeforeTheDamage() throws IOException {
    Map<String, String> expected =
        StoreFixture.contents(StoreFixture.whole(temporary.resolve("whole"), HEADER));
    var random = new Random(9);
    for (int round = 0; round < 40; round++) {
      Path folder = temporary.resolve("damaged");
      StoreFixture.copy(temporary.resolve("whole"), folder);
      Path shard = StoreShard.file(folder, random.nextInt(8));
      byte[] bytes = Files.readAllBytes(shard);
      int at = random.nextInt(bytes.length);
      if (round % 3 == 0) {
        Files.write(shard, Arrays.copyOf(bytes, at));
      } else {
        bytes[at]++;
        Files.write(shard, bytes);
      }
      Files.writeString(folder.resolve("000099.tar.part"), "orphan");
      Files.writeString(folder.resolve("notes.txt"), "mine");
      int before = SyntheticStore.verify(folder).stored();
      StoreReport report = SyntheticStore.repair(folder);
      assertThat(report.problems()).isEmpty();
      assertThat(report.stored()).isEqualTo(before).isLessThan(36);
      assertThat(report.repairs()).contains("000099.tar.part removed");
      assertThat(report.text()).contains("will be drawn again");
      assertThat(Files.readString(folder.resolve("notes.txt"))).isEqualTo("mine");
      Files.delete(folder.resolve("notes.txt"));
      try (StoreWriter writer = StoreFixture.open(folder, HEADER)) {
        assertThat(writer.nextPosition()).isEqualTo(before);
        StoreFixture.finish(writer, HEADER.plan(), 6, random);
      }
      assertThat(StoreFixture.contents(folder)).isEqualTo(expected);
      StoreFixture.delete(folder);
    }
  }

  @Test
  void repairTellsThatADamagedJournalsImagesAreDrawnAgain() throws IOException {
    Path folder = whole();
    Path journal = StoreJournal.file(folder);
    byte[] bytes = Files.readAllBytes(journal);
    int third = new String(bytes, StandardCharsets.US_ASCII).indexOf("image 2 ");
    bytes[third]++;
    Files.write(journal, bytes);
    assertThat(SyntheticStore.repair(folder).repairs())
        .contains("journal cut to 2 images, all after them will be drawn again");
    Files.delete(journal);
    assertThat(SyntheticStore.repair(folder).repairs())
        .contains("journal cut to 0 images, all after them will be drawn again");
    try (StoreWriter writer = StoreFixture.open(folder, HEADER)) {
      StoreFixture.finish(writer, HEADER.plan(), 6, new Random(2));
    }
    assertThat(SyntheticStore.verify(folder).isSound()).isTrue();
  }

  @Test
  void aLongListOfProblemsIsCut() {
    List<String> problems = IntStream.range(0, 100).mapToObj(i -> "image " + i + ": cut off").toList();
    String text = new StoreReport("store", 100, 0, 0, 0, problems, List.of(), Optional.empty()).text();
    assertThat(text).startsWith("store: 0 of 100 images, 0 bytes, 100 problems").contains("image 19: cut off");
    assertThat(text.lines()).hasSize(22).endsWith("  and 80 more");
  }

  @Test
  void verifyNamesWhatIsWrong() throws IOException {
    Path folder = whole();
    assertThat(SyntheticStore.verify(folder).text())
        .contains("36 of 36 images")
        .contains("sound and complete");
    Files.delete(StoreShard.file(folder, 3));
    Files.writeString(folder.resolve("stray"), "x");
    Path damaged = StoreShard.file(folder, 1);
    byte[] bytes = Files.readAllBytes(damaged);
    StoreEntry entry = SyntheticStore.open(folder).entries().get(6);
    bytes[(int) entry.pngAt() + 9]++;
    Files.write(damaged, bytes);
    StoreReport report = SyntheticStore.verify(folder);
    assertThat(report.isSound()).isFalse();
    assertThat(report.stored()).isEqualTo(6);
    assertThat(report.problems())
        .anyMatch(p -> p.equals("000003.tar: is missing, with images 15 to 19"))
        .anyMatch(p -> p.equals("stray: does not belong here"))
        .anyMatch(
            p ->
                p.startsWith("000001.tar: image 6 '" + entry.key() + "'")
                    && p.contains(".png has a wrong checksum"));
    assertThatThrownBy(() -> SyntheticStore.open(folder).png(entry))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("is not what was written");
    assertThatThrownBy(() -> SyntheticStore.create(folder, HEADER))
        .hasMessageContaining("000003.tar should have");
  }

  @Test
  void verifyFindsImagesThatAreWellStoredButWrong() {
    Path folder = temporary.resolve("a");
    GenerationPlan plan = HEADER.plan();
    try (StoreWriter writer = SyntheticStore.create(folder, HEADER)) {
      writer.append(0, plan.image(0).key(), new byte[100], StoreFixture.json(plan, 0));
      writer.append(1, plan.image(1).key(), StoreFixture.png(1), StoreFixture.json(plan, 2));
      writer.append(2, plan.image(2).key(), StoreFixture.png(2), new byte[] {'{'});
    }
    assertThat(SyntheticStore.verify(folder).problems())
        .hasSize(3)
        .anyMatch(p -> p.contains(plan.image(0).key() + ".png is no PNG"))
        .anyMatch(p -> p.contains("is that of '" + plan.image(2).key() + "'"))
        .anyMatch(p -> p.contains("is not JSON"));
  }

  @Test
  void aPlanWithoutImagesIsCompleteAtOnce() {
    GenerationPlan none = HEADER.plan().minus(HEADER.plan());
    var header = new StoreHeader(none, "m", Map.of(), Map.of(), 5);
    try (StoreWriter writer = SyntheticStore.create(temporary.resolve("none"), header)) {
      assertThat(writer.isComplete()).isTrue();
    }
    assertThat(SyntheticStore.verify(temporary.resolve("none")).isComplete()).isTrue();
  }
}
