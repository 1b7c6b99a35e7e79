// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.ffi.PixelStorage;
import dev.motley.image.Png;
import dev.motley.image.Resize;
import dev.motley.image.RgbImage;
import dev.motley.testing.Mutations;
import dev.motley.testing.RandomPicture;
import dev.motley.tricks.ClassList;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.zip.GZIPOutputStream;
import javax.imageio.ImageIO;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** WebDataset shards and archives of class folders, as other programs write them. */
class ArchiveTest {
  @TempDir Path folder;

  private static byte[] png(int number) {
    var pixels = new byte[3 * 4 * 4];
    Arrays.fill(pixels, (byte) number);
    return Png.encode(new RgbImage(4, 4, pixels), Map.of());
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] tar(Map<String, byte[]> files) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var tar = new TarArchiveOutputStream(bytes, "UTF-8")) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      tar.setAddPaxHeadersForNonAsciiNames(true);
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        var entry = new TarArchiveEntry(file.getKey());
        entry.setSize(file.getValue().length);
        tar.putArchiveEntry(entry);
        tar.write(file.getValue());
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }

  private Path write(String name, byte[] bytes) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    OutputStream raw = Files.newOutputStream(file);
    try (OutputStream out =
        name.endsWith("gz") ? new GZIPOutputStream(raw) : name.endsWith(".xz") ? new XZOutputStream(raw, new LZMA2Options(0)) : raw) {
      out.write(bytes);
    }
    return file;
  }

  /** Samples numbered from a first one, each with a picture of its number and a label of it modulo 3. */
  private static Map<String, byte[]> samples(int from, int count) {
    var files = new LinkedHashMap<String, byte[]>();
    for (int i = from; i < from + count; i++) {
      files.put("./s%04d.png".formatted(i), png(i));
      files.put("./s%04d.cls".formatted(i), text(i % 3 + "\n"));
      files.put("./s%04d.txt".formatted(i), text("a caption"));
    }
    return files;
  }

  private ImageSet read(String spec) {
    return RealData.open(folder.resolve(spec).toString()).images();
  }

  private static List<Integer> numbers(ImageSet images) {
    return java.util.stream.IntStream.range(0, images.count())
        .mapToObj(i -> images.image(i).pixels()[0] & 0xff)
        .toList();
  }

  @Test
  void readsShardsOfAFolderAndOfAPattern() throws IOException {
    for (int shard = 0; shard < 4; shard++) {
      write("set/train-%02d.tar".formatted(shard), tar(samples(2 * shard, 2)));
    }
    Files.writeString(folder.resolve("set/classnames.txt"), "cat\ndog\nankle boot\n");
    RealData data = RealData.open(folder.resolve("set").toString());
    assertThat(data.format()).isEqualTo("WebDataset");
    assertThat(data.part()).isEqualTo("all");
    assertThat(numbers(data.images())).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
    assertThat(data.images().labels()).containsExactly(0, 1, 2, 0, 1, 2, 0, 1);
    assertThat(data.images().classNames()).containsExactly("cat", "dog", "ankle boot");
    assertThat(numbers(read("set/train-{01..02}.tar"))).containsExactly(2, 3, 4, 5);
    assertThat(numbers(read("set/train-03.tar"))).containsExactly(6, 7);
    assertThat(RealData.open("webdataset:" + folder.resolve("set")).images().count()).isEqualTo(8);
    refused("set/train-{02..05}.tar", "train-04.tar: no such file, of ");
    refused("set/train-{05..02}.tar", "expected a range that goes up");
    var options = new TrainingSet.Options(2, 0, 0, Resize.Filter.BILINEAR_AA);
    assertThat(TrainingSet.load(List.of(folder.resolve("set/train-{00..03}.tar@6").toString()), options).images().classCounts())
        .containsExactly(2, 2, 2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.tar", "a.tar.gz", "a.tgz", "a.tar.xz"})
  void readsPackedShards(String name) throws IOException {
    write(name, tar(samples(0, 5)));
    assertThat(numbers(read(name))).containsExactly(0, 1, 2, 3, 4);
    assertThat(read(name).classNames()).containsExactly("0", "1", "2");
  }

  @Test
  void readsLabelsOfJsonAndNames() throws IOException {
    var files = new LinkedHashMap<String, byte[]>();
    files.put("a/1.v2.jpg", new byte[0]); // replaced by the next of the sample
    files.put("a/1.png", png(1));
    files.put("a/1.json", text("{\"label\": 1, \"class_name\": \"dog\", \"url\": null}"));
    files.put("b/1.json", text("{\"label\": 0, \"class_name\": \"cat\"}"));
    files.put("b/1.PNG", png(2));
    write("named.tar", tar(files));
    assertThat(read("named.tar").labels()).containsExactly(1, 0);
    assertThat(read("named.tar").classNames()).containsExactly("cat", "dog");

    files.put("a/1.cls", text("zebra"));
    files.put("b/1.cls", text("ape"));
    var words = new LinkedHashMap<String, byte[]>();
    for (String key : List.of("a/1.png", "a/1.json", "a/1.cls", "b/1.PNG", "b/1.cls", "b/1.json")) {
      words.put(key, files.get(key));
    }
    write("words.tar", tar(words));
    assertThat(read("words.tar").classNames()).containsExactly("ape", "zebra");
    assertThat(read("words.tar").labels()).containsExactly(1, 0);
  }

  @Test
  void aStoresOwnShardsAreAWebDataset() throws IOException {
    var plan = StoreFixture.plan(2);
    try (StoreWriter writer = StoreFixture.open(folder.resolve("store"), StoreFixture.header(2, 5))) {
      for (int i = 0; i < plan.size(); i++) {
        writer.append(i, plan.image(i).key(), png(i), StoreFixture.json(plan, i));
      }
    }
    ImageSet shards = RealData.open("webdataset:" + folder.resolve("store")).images();
    ImageSet store = StoreView.of(SyntheticStore.open(folder.resolve("store"))).load();
    assertThat(shards.labels()).isEqualTo(store.labels());
    for (int i = 0; i < plan.size(); i++) {
      assertThat(shards.image(i).pixels()).isEqualTo(store.image(i).pixels());
    }
    assertThat(shards.classNames()).containsExactly("猫", "dog", "ankle_boot");
  }

  /** Of an archive it is not known how many will come. */
  @Test
  void aSetThatOutgrowsMemoryGoesToAFile() throws IOException {
    write("set/0.tar", tar(samples(0, 1100)));
    ImageSet inMemory = read("set");
    long limit = inMemory.pixels().size() / 3;
    var storage = new PixelStorage(Files.createDirectory(folder.resolve("scratch")), OptionalLong.of(limit));
    var options = new RealData.Options(RealData.Split.TEST, 0, Resize.Filter.BILINEAR_AA, storage);
    try (ImageSet inFile = RealData.open(folder.resolve("set").toString(), options).images()) {
      assertThat(inMemory.pixels().isMapped()).isFalse();
      assertThat(inFile.pixels().isMapped()).isTrue();
      assertThat(inFile.sha256()).isEqualTo(inMemory.sha256());
    }
    assertThat(folder.resolve("scratch")).isEmptyDirectory();
  }

  @Test
  void partsLieInFoldersOfTheirOwn() throws IOException {
    write("set/train/0.tar", tar(samples(0, 6)));
    write("set/test/0.tar", tar(samples(6, 3)));
    Files.writeString(folder.resolve("set/classnames.txt"), "x\ny\nz\n");
    assertThat(numbers(read("set"))).containsExactly(6, 7, 8);
    assertThat(read("set").classNames()).containsExactly("x", "y", "z");
    assertThat(numbers(read("set@train"))).containsExactly(0, 1, 2, 3, 4, 5);
  }

  @Test
  void leavesOutAFewBadSamples() throws IOException {
    Map<String, byte[]> files = samples(0, 199);
    files.remove("./s0007.cls");
    write("a.tar", tar(files));
    assertThat(RealData.open(folder.resolve("a.tar").toString()).unreadable()).isEqualTo(1);
    files.put("./s0009.png", new byte[0]);
    write("a.tar", tar(files));
    refused("a.tar", "a.tar: 2 of 199 pictures cannot be read, first: ");
    files = samples(0, 10);
    files.remove("./s0003.png");
    files.put("./s0003.webp", new byte[] {1});
    files.put("./t.json", text("{\"label\""));
    write("a.tar", tar(files));
    refused("a.tar", "first: " + folder.resolve("a.tar") + ": ./s0003: no picture (.png, .jpg, .jpeg)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          truncated   | damaged or truncated .tar file
          header      | damaged or truncated .tar file
          gzip        | packed file is cut short
          xz          | packed file is
          range       | s0002: label 2, expected 0 to 1
          unknown     | s0002: label 'bird' is none of the 2 class names
          empty       | no pictures
          text        | damaged or truncated .tar file
          no_label    | 3 of 3 pictures cannot be read, first:
          no_class    | lies in no class folder
          """)
  void refusesDamagedArchives(String rule, String complaint) throws IOException {
    Map<String, byte[]> files = samples(0, 3);
    byte[] whole = tar(files);
    String spec = "a.tar";
    switch (rule) {
      case "truncated" -> whole = Arrays.copyOf(whole, 512 + 30);
      case "header" -> Arrays.fill(whole, 124, 136, (byte) 'x');
      case "text" -> whole = text("this is no archive at all ".repeat(40));
      case "empty" -> whole = tar(Map.of("a.txt", new byte[1]));
      case "no_class" -> whole = tar(Map.of("a.png", png(0)));
      case "no_label" -> {
        files.keySet().removeIf(name -> name.endsWith(".cls"));
        whole = tar(files);
        spec = "webdataset";
      }
      case "range", "unknown" -> Files.writeString(folder.resolve("classes.txt"), "cat\ndog\n");
      default -> {}
    }
    if (rule.equals("unknown")) {
      files.put("./s0002.cls", text("bird"));
      whole = tar(files);
    }
    if (rule.equals("gzip") || rule.equals("xz")) {
      spec = rule.equals("gzip") ? "a.tar.gz" : "a.tar.xz";
      byte[] packed = Files.readAllBytes(write(spec, whole));
      Files.write(folder.resolve(spec), Arrays.copyOf(packed, packed.length / 2));
    } else {
      write("a.tar", whole);
    }
    refusedSpec(spec.equals("webdataset") ? "webdataset:" + folder.resolve("a.tar") : folder.resolve(spec).toString(), complaint);
  }

  @Test
  void noDamageEscapes() throws IOException {
    byte[] sound = tar(samples(0, 3));
    Path file = folder.resolve("a.tar");
    Mutations.check(
        sound,
        300,
        64 << 20,
        bytes -> {
          Files.write(file, bytes);
          RealData.open(file.toString());
        });
  }

  /** As the paper's authors published theirs: RGBA, one folder more, the folder Sea for SeaLake. */
  @Test
  void readsThePublishedLayout() throws IOException {
    var rgba = new BufferedImage(4, 4, BufferedImage.TYPE_INT_ARGB);
    for (int i = 0; i < 16; i++) {
      rgba.setRGB(i % 4, i / 4, (i * 16 << 24) | (i * 1001));
    }
    var png = new ByteArrayOutputStream();
    assertThat(ImageIO.write(rgba, "png", png)).isTrue();
    var files = new LinkedHashMap<String, byte[]>();
    List<String> classes = ClassList.preset("eurosat").folders();
    for (String name : classes) {
      String as = name.equals("SeaLake") ? "Sea" : name;
      files.put("EuroSat_generated_64/eurosat/2750/" + as + "/" + as + "_00001.png", png.toByteArray());
      files.put("EuroSat_generated_64/eurosat/2750/" + as + "/._x.png", text("a Mac's own"));
      write("plain/eurosat/2750/" + as + "/1.png", png.toByteArray());
    }
    write("EuroSat_generated_64.tar.gz", tar(files));
    ImageSet set = read("EuroSat_generated_64.tar.gz");
    assertThat(set.count()).isEqualTo(10);
    assertThat(set.classNames()).contains("Sea").doesNotContain("SeaLake", "eurosat", "2750");
    for (int i = 0; i < 16; i++) {
      int rgb = i * 1001;
      assertThat(Arrays.copyOfRange(set.image(3).pixels(), 3 * i, 3 * i + 3))
          .as("colours stand as they are, whatever their alpha")
          .containsExactly((byte) (rgb >> 16), (byte) (rgb >> 8), (byte) rgb);
    }
    assertThat(ClassMatch.indices(classes, set.classNames())).isPresent();
    assertThat(read("plain").sha256()).isEqualTo(set.sha256());
  }

  @Test
  void classFoldersInAnArchiveAreReadAsInAFolder() throws IOException {
    var files = new LinkedHashMap<String, byte[]>();
    for (String name : List.of("set/b class/2.v1.png", "set/b class/10.PNG", "set/Zebra/deep/x.png", "set/aquarium_fish/é.png")) {
      byte[] png = Png.encode(RandomPicture.of(3, name.length()).resized(4, 4, Resize.Filter.BILINEAR), Map.of());
      files.put(name, png);
      write(name, png);
    }
    files.put("set/notes.txt", text("no picture"));
    write("set.tar", tar(files));
    ImageSet archive = read("set.tar");
    assertThat(archive.classNames()).containsExactly("Zebra", "aquarium_fish", "b class");
    assertThat(archive.classNames()).isEqualTo(read("set").classNames());
    assertThat(archive.classCounts()).isEqualTo(read("set").classCounts());
    assertThat(RealData.open("folder:" + folder.resolve("set.tar")).format()).isEqualTo("image folder");
  }

  private void refused(String spec, String complaint) {
    refusedSpec(folder.resolve(spec).toString(), complaint);
  }

  private static void refusedSpec(String spec, String complaint) {
    assertThatThrownBy(() -> RealData.open(spec))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(complaint)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
  }
}
