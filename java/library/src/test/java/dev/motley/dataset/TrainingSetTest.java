// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.dataset.TrainingSet.Options;
import dev.motley.ffi.PixelStorage;
import dev.motley.image.Png;
import dev.motley.image.Resize;
import dev.motley.image.RgbImage;
import dev.motley.tricks.ClassList;
import dev.motley.tricks.Fidelity;
import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.PlanSpec;
import dev.motley.tricks.PlannedImage;
import dev.motley.tricks.Trick;
import dev.motley.tricks.TrickMix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainingSetTest {
  private static final int SIZE = 4;
  private static final int BYTES = 3 * SIZE * SIZE;
  private static final List<String> CLASSES = List.of("cat", "dog", "ankle_boot");

  @TempDir Path temporary;

  /** A picture that tells which one it is: its first bytes are the number. */
  private static RgbImage picture(int number, int size) {
    var pixels = new byte[3 * size * size];
    new Random(number).nextBytes(pixels);
    return new RgbImage(size, size, pixels);
  }

  private static int number(PlannedImage image, int salt) {
    return image.key().hashCode() * 31 + salt;
  }

  private GenerationPlan plan(List<Trick> tricks, int perClass) {
    return GenerationPlan.of(
        PlanSpec.of(ClassList.of("own", CLASSES), Fidelity.PAPER).with(TrickMix.union(tricks, perClass)));
  }

  private SyntheticStore store(String name, GenerationPlan plan, int salt) {
    return store(name, plan, plan.size(), salt);
  }

  private SyntheticStore store(String name, GenerationPlan plan, int count, int salt) {
    Path folder = temporary.resolve(name);
    try (StoreWriter writer = StoreFixture.open(folder, new StoreHeader(plan, "model", Map.of(), Map.of(), 7))) {
      for (int i = 0; i < count; i++) {
        PlannedImage image = plan.image(i);
        byte[] png = Png.encode(picture(number(image, salt), SIZE), Map.of());
        writer.append(i, image.key(), png, StoreRecord.json(image, List.of(), Optional.empty()));
      }
    }
    return SyntheticStore.open(folder);
  }

  /** Class folders with {@code perClass} pictures in each. */
  private Path folder(String name, List<String> classes, int perClass, int size) throws IOException {
    Path root = temporary.resolve(name);
    for (int c = 0; c < classes.size(); c++) {
      Path of = Files.createDirectories(root.resolve(classes.get(c)));
      for (int i = 0; i < perClass; i++) {
        Files.write(of.resolve("%03d.png".formatted(i)), Png.encode(picture(1000 * c + i, size), Map.of()));
      }
    }
    return root;
  }

  private String at(String name) {
    return temporary.resolve(name).toString();
  }

  private static TrainingSet load(Options options, String... specs) {
    return TrainingSet.load(List.of(specs), options);
  }

  /** Whatever a set is made of. */
  @Test
  void aSetInAFileIsTheSameAsInMemory() throws IOException {
    store("a", plan(List.of(Trick.values()), 3), 1);
    store("b", plan(List.of(Trick.values()), 3), 2);
    folder("large", CLASSES, 5, 8);
    folder("other", CLASSES, 10, 6);
    String[] specs = {at("a"), at("large"), at("b") + "@0.5", at("other") + "@train"};
    Path scratch = Files.createDirectory(temporary.resolve("scratch"));
    var mapped = new Options(20, 0, 6, Resize.Filter.BILINEAR_AA, PixelStorage.mapped(scratch));
    try (ImageSet inMemory = load(new Options(20, 0, 6, Resize.Filter.BILINEAR_AA), specs).images();
        ImageSet inFile = load(mapped, specs).images()) {
      assertThat(inMemory.pixels().isMapped()).isFalse();
      assertThat(inFile.pixels().isMapped()).isTrue();
      assertThat(inFile.sha256()).isEqualTo(inMemory.sha256());
      assertThat(inFile.resized(4, 5, Resize.Filter.PIL_BICUBIC).sha256())
          .isEqualTo(inMemory.resized(4, 5, Resize.Filter.PIL_BICUBIC).sha256());
    }
    assertThat(scratch).isEmptyDirectory();
  }

  private static Options perClass(int count, long seed) {
    return new Options(count, seed, 0, Resize.Filter.BILINEAR_AA);
  }

  private static Set<String> pictures(ImageSet images) {
    var all = new HashSet<String>();
    for (int i = 0; i < images.count(); i++) {
      all.add(images.labels()[i] + Arrays.toString(images.image(i).pixels()));
    }
    return all;
  }

  /** How many images of each trick and domain are in a set drawn from a store. */
  private static Map<String, Integer> groups(SyntheticStore store, ImageSet images, int salt) {
    var groupOf = new HashMap<String, String>();
    store.header().plan().images()
        .forEach(
            image ->
                groupOf.put(
                    Arrays.toString(picture(number(image, salt), SIZE).pixels()),
                    image.classIndex() + " " + image.trick() + " " + image.domain()));
    var counts = new HashMap<String, Integer>();
    for (int i = 0; i < images.count(); i++) {
      counts.merge(groupOf.get(Arrays.toString(images.image(i).pixels())), 1, Integer::sum);
    }
    return counts;
  }

  @Test
  void aWholeStoreIsWhatItsViewIs() {
    SyntheticStore store = store("a", plan(List.of(Trick.values()), 5), 0);
    TrainingSet data = load(Options.ALL, at("a"));
    assertThat(data.images().sha256()).isEqualTo(StoreView.of(store).load().sha256());
    assertThat(data.sources())
        .singleElement()
        .satisfies(source -> assertThat(source.format()).isEqualTo("synthetic store"))
        .satisfies(source -> assertThat(source.held()).isEqualTo(source.used()).isEqualTo(60))
        .satisfies(source -> assertThat(source.byTrick()).containsEntry(Trick.CLASS_PROMPT, 15).hasSize(4));
    assertThat(load(Options.ALL, "store:" + at("a"), at("a")).images().count()).isEqualTo(60);
  }

  @Test
  void anImageThatTwoStoresHoldCountsOnceAndAnotherOfItsKeyTwice() {
    store("base", plan(List.of(Trick.BASE_CLASS), 4), 0);
    store("all", plan(List.of(Trick.values()), 4), 0);
    store("other", plan(List.of(Trick.BASE_CLASS), 4), 1);
    assertThat(load(Options.ALL, at("base"), at("all")).images().count()).isEqualTo(48);
    assertThat(load(Options.ALL, at("base"), at("all")).sources())
        .extracting(TrainingSet.Source::used)
        .containsExactly(12, 36);
    assertThat(load(Options.ALL, at("base"), at("other"), at("base")).images().count()).isEqualTo(24);
    assertThat(load(Options.ALL, at("base") + "@0.5", at("all")).images().count()).isEqualTo(48);
  }

  @Test
  void aShareIsEvenOverClassesTricksAndDomainsAndTheSameForItsSeed() {
    SyntheticStore store = store("a", plan(List.of(Trick.BASE_CLASS, Trick.MULTI_DOMAIN), 40), 0);
    ImageSet half = load(perClass(0, 3), at("a") + "@0.5").images();
    assertThat(half.classCounts()).containsExactly(40, 40, 40);
    Map<String, Integer> groups = groups(store, half, 0);
    assertThat(groups).hasSize(3 * 11);
    groups.forEach((group, count) -> assertThat(count).as(group).isEqualTo(group.contains("BASE") ? 20 : 2));
    assertThat(load(perClass(0, 3), at("a") + "@.5").images().sha256()).isEqualTo(half.sha256());
    assertThat(load(perClass(0, 4), at("a") + "@0.5").images().sha256()).isNotEqualTo(half.sha256());
    ImageSet some = load(perClass(0, 3), at("a") + "@62").images();
    assertThat(some.classCounts()).containsExactly(21, 21, 20);
    assertThat(pictures(half)).as("a larger part holds the smaller one").containsAll(pictures(some));
    assertThat(load(Options.ALL, at("a") + "@1.0").images().count()).isEqualTo(240);
  }

  @Test
  void equalBudgetsAreSharedOutEvenly() throws IOException {
    store("one", plan(List.of(Trick.BASE_CLASS), 20), 0);
    store("two", plan(List.of(Trick.MULTI_DOMAIN), 20), 0);
    folder("few", List.of("cat", "dog", "ankle boot"), 2, SIZE);
    TrainingSet data = load(perClass(12, 0), at("one"), at("two"), at("few"));
    assertThat(data.images().classCounts()).containsExactly(12, 12, 12);
    assertThat(data.sources()).extracting(TrainingSet.Source::used).containsExactly(15, 15, 6);
    assertThat(data.images().sha256())
        .isEqualTo(load(perClass(12, 0), at("one"), at("two"), at("few")).images().sha256())
        .isNotEqualTo(load(perClass(12, 1), at("one"), at("two"), at("few")).images().sha256());
    assertThat(load(perClass(1000, 0), at("one"), at("few")).images().classCounts()).containsExactly(22, 22, 22);
  }

  @Test
  void realPicturesOfAnotherOrderAndSpellingJoinTheStore() throws IOException {
    store("a", plan(List.of(Trick.BASE_CLASS), 2), 0);
    folder("real", List.of("Ankle Boot", "cat", "dog"), 1, SIZE);
    ImageSet images = load(Options.ALL, at("a"), at("real")).images();
    assertThat(images.classNames()).containsExactly("cat", "dog", "ankle boot");
    assertThat(Arrays.copyOfRange(images.labels(), 6, 9)).containsExactly(2, 0, 1);
    assertThat(images.image(6).pixels()).isEqualTo(picture(0, SIZE).pixels());
    assertThat(load(Options.ALL, at("real"), at("a")).images().classNames())
        .containsExactly("Ankle Boot", "cat", "dog");
  }

  @Test
  void setsThatDoNotFitAreNamedBoth() throws IOException {
    store("a", plan(List.of(Trick.BASE_CLASS), 2), 0);
    folder("birds", List.of("cat", "dog", "bird"), 1, SIZE);
    folder("large", List.of("cat", "dog", "ankle boot"), 1, 8);
    refused(
        "%s and %s do not have the same classes: 3 classes [cat, dog, ankle boot], 3 classes [bird, cat, dog]"
            .formatted(at("a"), at("birds")),
        at("a"),
        at("birds"));
    refused(
        "%s has pictures of 4x4 pixels, large of 8x8; give a size to resize all to".formatted(at("a")),
        at("a"),
        at("large"));
    ImageSet images = load(new Options(0, 0, 6, Resize.Filter.BILINEAR_AA), at("a"), at("large")).images();
    assertThat(images.width()).isEqualTo(6);
    assertThat(images.image(6).pixels())
        .isEqualTo(picture(2000, 8).resized(6, 6, Resize.Filter.BILINEAR_AA).pixels());
  }

  @ParameterizedTest
  @CsvSource({
    "@0.0, 'share 0.0, expected more than 0.0 and at most 1.0'",
    "@1.5, 'share 1.5, expected more than 0.0'",
    "@-.5, 'share -.5, expected more than 0.0'",
    "@0, '0 images, expected 1 to'",
    "@99999999999, '99999999999 images, expected 1 to'",
    "@7, 'it has 6 images, asked for are 7'",
    "@half, 'a@half: no such data set'",
  })
  void refusesSharesThatAreNone(String suffix, String complaint) {
    store("a", plan(List.of(Trick.BASE_CLASS), 2), 0);
    refused(complaint, at("a") + suffix);
  }

  @Test
  void refusesWhatCannotBeTrainedOn() {
    refused("no data to train on");
    refused("\"\": the path of the images is empty", "");
    refused("no such data set", at("none"));
    refused("is no synthetic store", "store:" + at("none"));
    GenerationPlan plan = plan(List.of(Trick.BASE_CLASS), 2);
    store("half", plan, 3, 0);
    refused("has 3 of its 6 images: run 'generate' again to draw the rest", at("half"));
    assertThatThrownBy(() -> RealData.open("store:" + at("half"))).hasMessageContaining("trained on, not tested on");
    assertThatThrownBy(() -> RealData.open(at("half") + "@0.5")).hasMessageContaining("a share is for training data");
    assertThatThrownBy(() -> perClass(-1, 0)).hasMessageContaining("at most -1 images per class");
  }

  @Test
  void aSetWithoutPartsIsCutTheSameWayEveryTime() throws IOException {
    folder("set", List.of("a", "b"), 9, SIZE);
    RealData train = RealData.open(at("set") + "@train");
    RealData test = RealData.open(at("set") + "@test");
    assertThat(train.part()).isEqualTo("train, 80 %");
    assertThat(test.part()).isEqualTo("test, 20 %");
    assertThat(train.images().classCounts()).containsExactly(7, 7);
    assertThat(test.images().classCounts()).containsExactly(2, 2);
    var both = new HashSet<>(pictures(train.images()));
    both.addAll(pictures(test.images()));
    assertThat(both).hasSize(18).isEqualTo(pictures(RealData.open(at("set")).images()));
    ImageSet trained = load(perClass(0, 77), at("set") + "@train").images();
    assertThat(trained.sha256()).as("the seed of a share has no say in it").isEqualTo(train.images().sha256());
    assertThat(load(Options.ALL, at("set") + "@train@0.5").images().classCounts()).containsExactly(4, 4);
    assertThat(load(Options.ALL, at("set")).images().count()).isEqualTo(18);
  }

  @Test
  void foldersOfPartsAreNoClasses() throws IOException {
    folder("set/train", List.of("a", "b"), 3, SIZE);
    folder("set/val", List.of("a", "b"), 2, SIZE);
    assertThat(RealData.open(at("set")).images().classCounts()).containsExactly(2, 2);
    assertThat(RealData.open(at("set")).part()).isEqualTo("test");
    assertThat(RealData.open(at("set") + "@train").part()).isEqualTo("train");
    assertThat(load(Options.ALL, at("set")).images().classCounts()).containsExactly(3, 3);
    folder("set/c", List.of("a", "b"), 1, SIZE);
    assertThat(RealData.open(at("set")).images().classNames()).containsExactly("c", "train", "val");
  }

  @Test
  void aPathIsTakenAsItStands() throws IOException {
    folder("set@0.5", List.of("a", "b"), 2, SIZE);
    folder("set@train", List.of("a", "b"), 1, SIZE);
    assertThat(load(Options.ALL, at("set@0.5")).images().count()).isEqualTo(4);
    assertThat(load(Options.ALL, at("set@0.5") + "@0.5").images().count()).isEqualTo(2);
    assertThat(load(Options.ALL, at("set@train")).images().count()).isEqualTo(2);
  }

  @Test
  void aBudgetIsSharedOutToTheLast() {
    var random = new Random(5);
    for (int round = 0; round < 2000; round++) {
      int[] available = random.ints(1 + random.nextInt(12), 0, 1 + random.nextInt(20)).toArray();
      int total = IntStream.of(available).sum();
      int budget = random.nextInt(total + 3);
      int first = random.nextInt(available.length);
      int[] shares = EvenDraw.shares(budget, available, first);
      assertThat(IntStream.of(shares).sum()).isEqualTo(Math.min(budget, total));
      int most = IntStream.of(shares).max().orElse(0);
      int[] next = EvenDraw.shares(budget + 1, available, first);
      for (int i = 0; i < shares.length; i++) {
        assertThat(shares[i]).isBetween(0, available[i]);
        assertThat(shares[i] == available[i] || shares[i] >= most - 1).as("%s of %s", shares, available).isTrue();
        assertThat(next[i]).isGreaterThanOrEqualTo(shares[i]);
      }
    }
    assertThat(EvenDraw.shares(5, new int[] {9, 9, 9}, 2)).containsExactly(2, 1, 2);
  }

  private static void refused(String complaint, String... specs) {
    assertThatThrownBy(() -> load(Options.ALL, specs))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(complaint)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
  }
}
