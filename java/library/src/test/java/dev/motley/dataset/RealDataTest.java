// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.motley.InvalidInputException;
import dev.motley.MotleyException;
import dev.motley.ResourceException;
import dev.motley.ffi.PixelStorage;
import dev.motley.image.Png;
import dev.motley.image.Resize;
import dev.motley.image.RgbImage;
import dev.motley.testing.RandomPicture;
import dev.motley.testing.Shared;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

class RealDataTest {
  private static final String IMAGES = "t10k-images-idx3-ubyte";
  private static final String LABELS = "t10k-labels-idx1-ubyte";

  @TempDir Path folder;

  @Test
  void readsTheRealFashionTestSet() {
    RealData data = RealData.open(Shared.repository().resolve("models/fashion-mnist").toString());
    ImageSet images = data.images();
    assertThat(data.format()).isEqualTo("IDX");
    assertThat(images.count()).isEqualTo(10_000);
    assertThat(images.height()).isEqualTo(32);
    assertThat(images.width()).isEqualTo(32);
    assertThat(images.classCounts()).containsOnly(1000).hasSize(10);
    assertThat(images.classNames()).startsWith("t-shirt", "trouser").endsWith("bag", "ankle boot");
    assertThat(Arrays.copyOf(images.labels(), 8)).containsExactly(9, 2, 1, 1, 6, 1, 4, 6);
    RgbImage boot = images.image(0);
    for (int y = 0; y < 32; y++) {
      for (int x = 0; x < 32; x++) {
        int at = 3 * (32 * y + x);
        assertThat(boot.pixels()[at])
            .isEqualTo(boot.pixels()[at + 1])
            .isEqualTo(boot.pixels()[at + 2]);
        if (x < 2 || y < 2 || x >= 30 || y >= 30) {
          assertThat(boot.pixels()[at]).isZero();
        }
      }
    }
  }

  @Test
  void readsPlainAndPackedIdx() throws IOException {
    byte[] images = idx(3, bytes(2 * 4 * 6), 2, 4, 6);
    byte[] labels = idx(1, new byte[] {3, 1}, 2);
    Files.write(folder.resolve(IMAGES), images);
    writePacked(folder.resolve(LABELS + ".gz"), labels);
    ImageSet read = RealData.open("idx:" + folder).images();
    assertThat(read.labels()).containsExactly(3, 1);
    assertThat(read.classNames()).startsWith("0", "1");
    // 6x4 centred on 32x32: rows 14 to 17, columns 13 to 18.
    assertThat(read.image(1).pixels()[3 * (14 * 32 + 13)]).isEqualTo((byte) 24);
    assertThat(read.image(1).pixels()[3 * (17 * 32 + 18)]).isEqualTo((byte) 47);
    assertThat(read.image(0).pixels()[3 * (13 * 32 + 13)]).isZero();
    Files.writeString(folder.resolve("class_names.txt"), "a\nb\n\nc\nd e\n");
    assertThat(RealData.open(folder.toString()).images().classNames())
        .containsExactly("a", "b", "c", "d e");
  }

  @Test
  void aFileOfImagesIsASetWithoutParts() {
    String file = Shared.repository().resolve("models/fashion-mnist/t10k-images-idx3-ubyte.gz").toString();
    RealData all = RealData.open(file);
    assertThat(all.part()).isEqualTo(RealData.ALL);
    assertThat(all.images().classNames()).startsWith("t-shirt", "trouser");
    assertThat(all.images().classCounts()).containsOnly(1000).hasSize(10);
    assertThat(RealData.open(file + "@train").images().classCounts()).containsOnly(800).hasSize(10);
    RealData test = RealData.open("idx:" + file + "@test");
    assertThat(test.part()).isEqualTo("test, 20 %");
    assertThat(test.images().classCounts()).containsOnly(200).hasSize(10);
    assertThatThrownBy(() -> RealData.open("idx:" + file.replace("images-idx3", "labels-idx1")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("labels-idx1-ubyte.gz: no such data set; expected a folder with IDX files (or their images file)");
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          truncated_header  | truncated in its header
          wrong_magic       | wrong magic number 0x00000d03, expected 0x00000803
          swapped_files     | wrong magic number 0x00000801, expected 0x00000803
          truncated_images  | truncated: 40 bytes of data, expected 48
          images_too_long   | more than the expected 48 bytes
          huge_count        | out of range
          negative_size     | out of range
          zero_size         | out of range
          count_mismatch    | 3 labels, but 2 images in
          label_out_of_range | label 1 is 10, expected 0 to 9
          truncated_gzip    | packed file is cut short
          damaged_gzip      | packed file is damaged
          missing_labels    | no t10k-labels-idx1-ubyte (nor as .gz or .xz)
          """)
  void refusesDamagedIdx(String rule, String complaint) throws IOException {
    byte[] images = idx(3, bytes(48), 2, 4, 6);
    byte[] labels = idx(1, new byte[] {3, 1}, 2);
    switch (rule) {
      case "truncated_header" -> images = Arrays.copyOf(images, 7);
      case "wrong_magic" -> images[2] = 0x0d;
      case "swapped_files" -> images = labels;
      case "truncated_images" -> images = Arrays.copyOf(images, images.length - 8);
      case "images_too_long" -> images = Arrays.copyOf(images, images.length + 1);
      case "huge_count" -> images = idx(3, bytes(48), 0x7fffffff, 0x7fffffff, 6);
      case "negative_size" -> images = idx(3, bytes(48), 2, -4, 6);
      case "zero_size" -> images = idx(3, bytes(48), 0, 4, 6);
      case "count_mismatch" -> labels = idx(1, new byte[] {3, 1, 2}, 3);
      case "label_out_of_range" -> labels = idx(1, new byte[] {3, 10}, 2);
      default -> {}
    }
    writePacked(folder.resolve(IMAGES + ".gz"), images);
    Files.write(folder.resolve(LABELS), labels);
    byte[] packed = Files.readAllBytes(folder.resolve(IMAGES + ".gz"));
    switch (rule) {
      case "truncated_gzip" ->
          Files.write(folder.resolve(IMAGES + ".gz"), Arrays.copyOf(packed, packed.length - 9));
      case "damaged_gzip" -> {
        packed[packed.length - 6] ^= 1;
        Files.write(folder.resolve(IMAGES + ".gz"), packed);
      }
      case "missing_labels" -> Files.delete(folder.resolve(LABELS));
      default -> {}
    }
    refused(folder.toString(), complaint);
  }

  @Test
  void readsCifarRecords() throws IOException {
    byte[] records = new byte[2 * 3073];
    records[0] = 2;
    records[3073] = 1;
    records[3073 + 1 + 5] = 10; // red, green and blue of pixel 5 of the second image
    records[3073 + 1 + 1024 + 5] = 20;
    records[3073 + 1 + 2048 + 5] = 30;
    Files.write(folder.resolve("test_batch.bin"), records);
    Files.writeString(folder.resolve("batches.meta.txt"), "airplane\nautomobile\nbird\n\n");
    RealData data = RealData.open(folder.toString());
    assertThat(data.format()).isEqualTo("CIFAR-10");
    assertThat(data.images().labels()).containsExactly(2, 1);
    assertThat(Arrays.copyOfRange(data.images().image(1).pixels(), 15, 18))
        .containsExactly(10, 20, 30);
    records[3073] = 3;
    Files.write(folder.resolve("test_batch.bin"), records);
    refused(folder.toString(), "test_batch.bin: record 1 has label 3, expected 0 to 2");
    Files.write(folder.resolve("test_batch.bin"), Arrays.copyOf(records, 6000));
    refused(folder.toString(), "6000 bytes are not 1 to 100000 records of 3073 bytes; truncated?");
    Files.delete(folder.resolve("batches.meta.txt"));
    refused(folder.toString(), "no batches.meta.txt");
  }

  @Test
  void readsFineLabelsOfPackedCifar100() throws IOException {
    byte[] record = new byte[3074];
    record[0] = 1;
    record[1] = 2;
    try (OutputStream out =
        new XZOutputStream(
            Files.newOutputStream(folder.resolve("test.bin.xz")), new LZMA2Options(0))) {
      out.write(record);
    }
    Files.writeString(folder.resolve("fine_label_names.txt"), "a\nb\nc\n");
    assertThat(RealData.open(folder.toString()).images().labels()).containsExactly(2);
    Files.delete(folder.resolve("fine_label_names.txt"));
    writePacked(folder.resolve("fine_label_names.txt.gz"), "a\nb\nü\n".getBytes(StandardCharsets.UTF_8));
    assertThat(RealData.open(folder.toString()).images().classNames()).containsExactly("a", "b", "ü");
    writePacked(folder.resolve("fine_label_names.txt.gz"), new byte[] {'a', (byte) 0xff});
    refused(folder.toString(), "fine_label_names.txt.gz: not valid UTF-8");
    Files.delete(folder.resolve("fine_label_names.txt.gz"));
    Files.writeString(folder.resolve("fine_label_names.txt"), "a\nb\nc\n");
    byte[] packed = Files.readAllBytes(folder.resolve("test.bin.xz"));
    Files.write(folder.resolve("test.bin.xz"), Arrays.copyOf(packed, packed.length - 20));
    refused(folder.toString(), "packed file is");
  }

  @Test
  void readsTheRealCifarTestSets() {
    RealData ten = RealData.open(Shared.path("data/cifar10").toString());
    assertThat(ten.images().classCounts()).containsOnly(1000).hasSize(10);
    assertThat(ten.images().classNames()).startsWith("airplane", "automobile").endsWith("truck");
    RealData hundred = RealData.open(Shared.path("data/cifar100").toString());
    assertThat(hundred.images().classCounts()).containsOnly(100).hasSize(100);
    assertThat(hundred.images().classNames()).startsWith("apple", "aquarium_fish").endsWith("worm");
  }

  @Test
  void readsTheRealEuroSatArchive() {
    RealData data =
        RealData.open(Shared.path("data/eurosat/EuroSAT_RGB_600perclass.zip").toString());
    assertThat(data.format()).isEqualTo("image folder");
    assertThat(data.images().classCounts()).containsOnly(600).hasSize(10);
    assertThat(data.images().classNames())
        .startsWith("AnnualCrop", "Forest")
        .endsWith("River", "SeaLake");
    assertThat(data.images().height()).isEqualTo(64);
    assertThat(data.unreadable()).isZero();
  }

  @Test
  void readsClassFolders() throws IOException {
    write("set/eurosat/2750/b class/2.png", RandomPicture.of(4, 5));
    write("set/eurosat/2750/b class/10.PNG", RandomPicture.of(4, 5));
    write("set/eurosat/2750/Zebra/deep/x.png", RandomPicture.of(4, 5));
    Files.writeString(folder.resolve("set/eurosat/2750/Zebra/notes.txt"), "no picture");
    Files.createDirectories(folder.resolve("set/eurosat/2750/.cache"));
    RealData data = RealData.open(folder.resolve("set").toString());
    assertThat(data.images().classNames()).containsExactly("Zebra", "b class");
    assertThat(data.images().labels()).containsExactly(0, 1, 1);
    assertThat(data.images().image(2).pixels()).isEqualTo(RandomPicture.of(4, 5).pixels());
    assertThat(data.images().name()).isEqualTo("set");
  }

  @Test
  void followsLinksToFoldersAndPictures() throws IOException {
    write("there/1.png", RandomPicture.of(4, 5));
    Files.createDirectories(folder.resolve("set"));
    for (String name : List.of("a", "b")) {
      Files.createSymbolicLink(folder.resolve("set").resolve(name), folder.resolve("there"));
    }
    assertThat(RealData.open(folder.resolve("set").toString()).images().classNames()).containsExactly("a", "b");
    assertThat(PictureFolder.read(folder.resolve("set/a"), 4, PixelStorage.standard()).files()).containsExactly("1.png");
    Files.createSymbolicLink(folder.resolve("there/round"), folder.resolve("there"));
    assertThatThrownBy(() -> RealData.open(folder.resolve("set").toString()))
        .as("a link to a folder above it")
        .isInstanceOf(MotleyException.class)
        .hasMessageContaining("a link leads back to a folder above it");
  }

  @Test
  void aDiskThatFailsInAFolderIsNoBadInput() throws IOException {
    Path memory = Path.of("/proc/self/mem"); // a file whose first byte no process can read
    assumeTrue(Files.isReadable(memory), "as Linux has it");
    Path set = folder.resolve("set");
    Files.createSymbolicLink(Files.createDirectories(set.resolve("a")).resolve("1.png"), memory);
    assertThatThrownBy(() -> RealData.open(set.toString()))
        .isInstanceOf(ResourceException.class)
        .hasMessage(set + ": cannot be read: input/output error");
  }

  @Test
  void sizesMustAgreeOrASizeBeGiven() throws IOException {
    write("set/a/1.png", RandomPicture.of(4, 5));
    write("set/a/2.png", RandomPicture.of(6, 5));
    refused(
        folder.resolve("set").toString(),
        "2.png: 5x6 pixels, but the pictures before have 5x4; give a size");
    var options = new RealData.Options(RealData.Split.TEST, 8, Resize.Filter.PIL_BICUBIC);
    ImageSet images = RealData.open(folder.resolve("set"), options).images();
    assertThat(images.height()).isEqualTo(8);
    assertThat(images.image(1).pixels())
        .isEqualTo(RandomPicture.of(6, 5).resized(8, 8, Resize.Filter.PIL_BICUBIC).pixels());
  }

  @Test
  void leavesOutAFewUnreadablePictures() throws IOException {
    for (int i = 0; i < 199; i++) {
      write("set/a/" + i + ".png", RandomPicture.of(2, 2));
    }
    Files.write(folder.resolve("set/a/bad.png"), new byte[] {1, 2, 3});
    RealData data = RealData.open(folder.resolve("set").toString());
    assertThat(data.images().count()).isEqualTo(199);
    assertThat(data.unreadable()).isEqualTo(1);
    Files.write(folder.resolve("set/a/worse.png"), new byte[0]);
    Files.write(folder.resolve("set/a/worst.png"), new byte[0]);
    refused(folder.resolve("set").toString(), "3 of 202 pictures cannot be read, first: ");
  }

  /** The JDK's JPEG decoder fills what is missing with grey; we count the picture as unreadable. */
  @Test
  void jpegsCutShortAreUnreadable() throws IOException {
    var image = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 64 * 64; i++) {
      image.setRGB(i % 64, i / 64, i * 2654435);
    }
    Path file = Files.createDirectories(folder.resolve("set/a")).resolve("1.jpg");
    ImageIO.write(image, "jpg", file.toFile());
    assertThat(RealData.open(folder.resolve("set").toString()).images().width()).isEqualTo(64);
    byte[] whole = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(whole, whole.length / 2));
    refused(
        folder.resolve("set").toString(),
        "1 of 1 pictures cannot be read, first: " + file + ": picture is cut short");
  }

  @Test
  void refusesEmptyAndMissingFolders() throws IOException {
    refused(folder.resolve("no").toString(), "no such data set");
    refused("folder:" + folder.resolve("no"), "no such data set");
    Files.createDirectories(folder.resolve("set/a"));
    refused(folder.resolve("set/a").toString(), "no class folders");
    write("set/b/1.png", RandomPicture.of(2, 2));
    refused(folder.resolve("set").toString(), "no pictures (.png, .jpg, .jpeg)");
    refused("cifar10:" + folder, "no test_batch.bin");
    Files.write(folder.resolve("x.zip"), new byte[] {'P', 'K', 1, 2});
    refused(folder.resolve("x.zip").toString(), "not a readable .zip file");
  }

  @Test
  void refusesSetsThatDoNotFitTogether() {
    List<String> names = List.of("a", "b");
    assertThatThrownBy(() -> new ImageSet("s", 2, 2, new byte[12], new int[] {2}, names))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("s: image 0 has label 2, expected 0 to 1");
    assertThatThrownBy(() -> new ImageSet("s", 2, 2, new byte[11], new int[] {1}, names))
        .hasMessage("s: 1 images of 2x2 RGB pixels cannot have 11 bytes");
    assertThatThrownBy(() -> new ImageSet("s", 2, 2, new byte[0], new int[0], names))
        .hasMessage("s: no images");
    assertThatThrownBy(
            () -> new ImageSet("s", 2, 2, new byte[12], new int[] {1}, List.of("a", "a")))
        .hasMessage("s: a class name appears twice in [a, a]");
  }

  private void write(String file, RgbImage image) throws IOException {
    Path path = folder.resolve(file);
    Files.createDirectories(path.getParent());
    Files.write(path, Png.encode(image, Map.of()));
  }

  private static void refused(String spec, String complaint) {
    assertThatThrownBy(() -> RealData.open(spec))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(complaint)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
  }

  private static byte[] idx(int dimensions, byte[] data, int... sizes) {
    ByteBuffer file =
        ByteBuffer.allocate(4 + 4 * sizes.length + data.length).putInt(0x800 | dimensions);
    for (int size : sizes) {
      file.putInt(size);
    }
    return file.put(data).array();
  }

  private static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) i;
    }
    return bytes;
  }

  private static void writePacked(Path file, byte[] bytes) throws IOException {
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write(bytes);
    }
  }
}
