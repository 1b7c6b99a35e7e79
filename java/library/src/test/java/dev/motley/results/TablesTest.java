// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.BatchNormMode;
import dev.motley.InvalidInputException;
import dev.motley.dataset.ImageSet;
import dev.motley.tricks.ClassList;
import dev.motley.tricks.Trick;
import dev.motley.tricks.TrickMix;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TablesTest {
  private static final Map<Trick, Integer> BASE = Map.of(Trick.BASE_CLASS, 20);

  private final List<Trained> trainings = new ArrayList<>();

  /** One training for each seed. */
  private void add(String dataset, Map<Trick, Integer> mix, String resize, String architecture, int... correct) {
    for (int seed = 0; seed < correct.length; seed++) {
      Path folder = Path.of("run" + trainings.size());
      trainings.add(TrainedFixture.trained(folder, dataset, mix, resize, architecture, seed, correct[seed]));
    }
  }

  private static Map<Trick, Integer> union(Set<Trick> tricks, int perClass) {
    return TrickMix.union(tricks, perClass).imagesPerClass();
  }

  private List<String> words(String table, String row, String column) {
    return words(BatchNormMode.RUNNING, table, row, column);
  }

  private List<String> words(BatchNormMode mode, String id, String row, String column) {
    ResultTable table =
        Tables.of(trainings, mode).stream().filter(one -> one.id().equals(id)).findFirst().orElseThrow();
    return table.rows().stream()
        .filter(one -> one.name().equals(row))
        .findFirst()
        .map(one -> TableText.words(one.cells().get(table.columns().indexOf(column))))
        .orElseThrow();
  }

  @Test
  void eachCellHasItsSpreadItsGainAndThePapersNumber() {
    add("cifar10", BASE, "bilinear", "resnet50", 50, 52, 54);
    add("cifar10", BASE, "bilinear_aa", "resnet50", 60);
    add("cifar10", Map.of(Trick.MULTI_DOMAIN, 20), "bilinear_aa", "resnet50", 61, 63);
    add("cifar10", union(Set.of(Trick.values()), 20), "bilinear_aa", "resnet50", 70, 72);
    add("cifar10", union(Set.of(Trick.values()), 5), "bilinear_aa", "resnet50", 66);
    assertThat(words("table-2", "Base class", "CIFAR-10"))
        .containsExactly("52.00 ± 2.00, n 3 (47.03 to 56.97)", "base", "paper 60.50");
    assertThat(words("table-2", "Base class, anti-aliased rescale", "CIFAR-10"))
        .as("the resize alone: no trick")
        .containsExactly("60.00, n 1", "+8.00", "paper 63.84");
    assertThat(words("table-2", "Multi-domain", "CIFAR-10"))
        .as("against the anti-aliased base, not against 52")
        .containsExactly("62.00 ± 1.41, n 2 (49.29 to 74.71)", "+2.00", "paper 67.97");
    assertThat(words("table-2", "All combined", "CIFAR-10"))
        .as("four times the images of any base")
        .containsExactly("71.00 ± 1.41, n 2 (58.29 to 83.71)", "no base of 800 images, bilinear_aa", "paper 81.00");
    assertThat(words("table-2", "All combined, as many images as the base class", "CIFAR-10"))
        .containsExactly("66.00, n 1", "+6.00");
    assertThat(words("table-2", "Class prompt", "CIFAR-10")).containsExactly("not run", "paper 62.32");
    assertThat(words("table-2", "Class prompt", "EuroSAT")).containsExactly("–");
    assertThat(words("table-2", "CLIP-RN50, zero-shot (cited)", "EuroSAT")).containsExactly("paper 41.10");
    assertThat(words("table-3", "resnet50", "CIFAR-10, best tricks")).contains("paper 81.00").anyMatch(w -> w.startsWith("71.00"));
    assertThat(words("table-3", "convnext_small", "EuroSAT, best tricks")).containsExactly("not run", "paper 20.22");
    assertThat(words(BatchNormMode.BATCH, "table-2", "All combined, as many images as the base class", "CIFAR-10"))
        .containsExactly("67.00, n 1", "+6.00");
  }

  @Test
  void seedsOfBothGiveTheDifferenceAnInterval() {
    add("cifar10", BASE, "bilinear_aa", "resnet50", 50, 55);
    add("cifar10", Map.of(Trick.RANDOM_GUIDANCE, 20), "bilinear_aa", "resnet50", 60, 61, 65);
    assertThat(words("table-2", "Random guidance", "CIFAR-10").get(1)).isEqualTo("+9.50 (-4.88 to +23.88)");
  }

  @Test
  void thePapersBestMixesDifferByDataset() {
    Set<Trick> three = Set.of(Trick.BASE_CLASS, Trick.MULTI_DOMAIN, Trick.RANDOM_GUIDANCE);
    add("cifar100", union(three, 20), "bilinear_aa", "resnet50", 40);
    add("cifar100", union(Set.of(Trick.values()), 20), "bilinear_aa", "resnet50", 41);
    add("eurosat", BASE, "bilinear", "resnet50", 30);
    add("eurosat", Map.of(Trick.RANDOM_GUIDANCE, 20), "bilinear", "resnet50", 31);
    add("eurosat", Map.of(Trick.RANDOM_GUIDANCE, 40), "bilinear", "resnet50", 32);
    add("eurosat", Map.of(Trick.MULTI_DOMAIN, 20), "bilinear_aa", "resnet50", 33);
    assertThat(words("table-2", "All combined", "CIFAR-100")).contains("40.00, n 1", "paper 45.63");
    assertThat(words("table-2", "Base class + Class prompt + Multi-domain + Random guidance", "CIFAR-100")).contains("41.00, n 1");
    assertThat(words("table-2", "Random guidance", "EuroSAT")).containsExactly("31.00, n 1", "+1.00", "paper 40.18");
    assertThat(words("table-3", "resnet50", "EuroSAT, best tricks"))
        .containsExactly("32.00, n 1", "no base of 400 images, bilinear", "paper 42.59");
    assertThat(words("table-2", "Multi-domain", "EuroSAT")).as("the paper did not anti-alias").containsExactly("not run", "paper 35.68");
    assertThat(words("table-2", "Multi-domain, resized by bilinear_aa", "EuroSAT")).contains("33.00, n 1");
  }

  @Test
  void otherDatasetsHaveTablesOfTheirOwn() {
    add("fashion-mnist", BASE, "none", "resnet101", 50);
    add("fashion-mnist", Map.of(Trick.BASE_CLASS, 40), "none", "resnet101", 55);
    add("fashion-mnist", Map.of(Trick.CLASS_PROMPT, 20), "none", "resnet101", 51);
    assertThat(Tables.of(trainings, BatchNormMode.RUNNING)).extracting(ResultTable::id).containsExactly("table-2-fashion-mnist", "table-3-fashion-mnist");
    assertThat(words("table-2-fashion-mnist", "Class prompt", "fashion-mnist")).containsExactly("51.00, n 1", "+1.00");
    assertThat(words("table-2-fashion-mnist", "Base class, 400 images", "fashion-mnist")).containsExactly("55.00, n 1", "base");
    String csv = TableText.csv(Tables.of(trainings, BatchNormMode.RUNNING));
    assertThat(csv.lines().map(line -> line.replaceAll("\"[^\"]*\"", "").chars().filter(c -> c == ',').count()).distinct()).containsExactly(16L);
    assertThat(csv).contains("table-2-fashion-mnist,Class prompt,fashion-mnist,running statistics,run,200,1,51.00,,,,");
    assertThat(csv).contains("\"Base class, 400 images\"");
    String markdown = TableText.markdown(Tables.of(trainings, BatchNormMode.BATCH));
    assertThat(markdown).contains("(batch statistics)\n\n| Set | fashion-mnist |\n| --- | --- |\n").contains("| Class prompt | 52.00, n 1; +1.00 |");
    assertThat(markdown).contains("fashion-mnist: tested on 100 real images (real), in batches of 128.").doesNotContain("paper");
  }

  @Test
  void realImagesAreARowOfTheirOwn() {
    add("fashion-mnist", BASE, "none", "resnet50", 50);
    Trained one = trainings.getFirst();
    ImageSet real =
        new ImageSet("real", 32, 32, new byte[3 * 32 * 32 * 20], new int[20], ClassList.preset("fashion-mnist").labels());
    trainings.add(
        new Trained(
            Path.of("real"),
            new TrainingRecord(one.record().recipe(), TrainingData.of(real), one.record().test()),
            one.evaluation()));
    assertThat(words("table-2-fashion-mnist", "Real images", "fashion-mnist")).containsExactly("50.00, n 1", "no base of 20 images");
  }

  @Test
  void ofTheSameSeedOneCountsAndWhatIsNotAlikeIsRefused() {
    add("cifar10", BASE, "bilinear", "resnet50", 50, 52);
    add("cifar10", BASE, "bilinear", "resnet50", 50);
    assertThat(words("table-2", "Base class", "CIFAR-10").getFirst()).contains("n 2");
    Trained one = trainings.getFirst();
    var other = new TrainingRecord(one.record().recipe().withEpochs(7), one.record().data(), one.record().test());
    trainings.add(new Trained(Path.of("other"), other, one.evaluation()));
    assertThatThrownBy(() -> Tables.of(trainings, BatchNormMode.RUNNING))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("run0 and other are trainings of one cell of the table that are not alike (epochs 20 and 7): give them to 'tables' one at a time");
  }

  @ParameterizedTest
  @CsvSource({"other, '', their images", "images, weights head, the weights they began with"})
  void trainingsOfOtherImagesOrFromOtherWeightsAreNotOne(String images, String from, String difference) {
    add("cifar10", BASE, "bilinear", "resnet50", 50);
    Trained one = trainings.getFirst();
    TrainingData data = one.record().data();
    var other =
        new TrainingData(
            data.dataset(), data.set(), data.classes(), data.perClass(), data.images(), data.size(), data.resize(), data.model(), data.preset(), images, from);
    trainings.add(new Trained(Path.of("other"), new TrainingRecord(one.record().recipe(), other, one.record().test()), one.evaluation()));
    assertThatThrownBy(() -> Tables.of(trainings, BatchNormMode.RUNNING))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("run0 and other are trainings of one cell of the table that are not alike (" + difference + ")");
  }
}
