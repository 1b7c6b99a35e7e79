// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.image.PictureReader;
import dev.motley.image.Png;
import dev.motley.image.RgbImage;
import dev.motley.testing.Mutations;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32C;
import java.util.zip.GZIPOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** Readers of pictures, data sets and stores, given bytes that no program of good will wrote. */
class ForeignImagesTest {
  private static final int ROUNDS = 800;
  private static final long MOST_BYTES = 64 << 20;

  /** XZ says how much memory its dictionary takes; what is in use needs 64 MiB. */
  private static final long MOST_BYTES_OF_XZ = 256 << 20;

  @TempDir private Path folder;

  private static byte[] noise(int length) {
    byte[] bytes = new byte[length];
    new Random(1).nextBytes(bytes);
    return bytes;
  }

  @Test
  void pngPictures() {
    byte[] png = Png.encode(new RgbImage(8, 8, noise(192)), Map.of("prompt", "a coat", "title", "\u00fc\u4e00"));
    Mutations.check(png, ROUNDS, MOST_BYTES, bytes -> Png.decode("a.png", bytes));
    Mutations.check(png, ROUNDS, MOST_BYTES, bytes -> Png.texts("a.png", bytes));
  }

  @Test
  void jpegPictures() throws IOException {
    var image = new BufferedImage(24, 24, BufferedImage.TYPE_INT_RGB);
    image.createGraphics().drawLine(0, 0, 23, 20);
    var jpeg = new ByteArrayOutputStream();
    assertThat(ImageIO.write(image, "jpg", jpeg)).isTrue();
    Mutations.check(jpeg.toByteArray(), ROUNDS, MOST_BYTES, bytes -> PictureReader.decode("a.jpg", bytes));
  }

  private byte[] idxImages() {
    return ByteBuffer.allocate(16 + 4 * 28 * 28)
        .putInt(0x803).putInt(4).putInt(28).putInt(28).put(noise(4 * 28 * 28)).array();
  }

  @Test
  void idxFiles() throws IOException {
    byte[] labels = ByteBuffer.allocate(12).putInt(0x801).putInt(4).put(new byte[] {0, 9, 3, 1}).array();
    Path imagesFile = folder.resolve("t10k-images-idx3-ubyte");
    Path labelsFile = folder.resolve("t10k-labels-idx1-ubyte");
    Files.write(labelsFile, labels);
    Mutations.check(
        idxImages(),
        ROUNDS,
        MOST_BYTES,
        bytes -> {
          Files.write(imagesFile, bytes);
          RealData.open(folder.toString());
        });
    Files.write(imagesFile, idxImages());
    Mutations.check(
        labels,
        ROUNDS,
        MOST_BYTES,
        bytes -> {
          Files.write(labelsFile, bytes);
          RealData.open(folder.toString());
        });
  }

  @Test
  void cifarFiles() throws IOException {
    Files.writeString(folder.resolve("batches.meta.txt"), "a\nb\nc\n");
    byte[] records = noise(2 * 3073);
    records[0] = 1;
    records[3073] = 2;
    Mutations.check(
        records,
        ROUNDS / 5,
        MOST_BYTES,
        bytes -> {
          Files.write(folder.resolve("test_batch.bin"), bytes);
          RealData.open(folder.toString());
        });
  }

  private interface Packer {
    OutputStream pack(OutputStream out) throws IOException;
  }

  private void checkPacked(String ending, long mostBytes, Packer packer) throws IOException {
    Path file = folder.resolve("images" + ending);
    var packed = new ByteArrayOutputStream();
    try (OutputStream out = packer.pack(packed)) {
      out.write(idxImages());
    }
    Mutations.check(
        packed.toByteArray(),
        ROUNDS,
        mostBytes,
        bytes -> {
          Files.write(file, bytes);
          PackedFiles.read(file, in -> in.readNBytes(1 << 20));
        });
  }

  @Test
  void packedFiles() throws IOException {
    checkPacked(".gz", MOST_BYTES, GZIPOutputStream::new);
    checkPacked(".xz", MOST_BYTES_OF_XZ, out -> new XZOutputStream(out, new LZMA2Options(0)));
  }

  private Path store() {
    Path store = folder.resolve("store");
    StoreHeader header = StoreFixture.header(2, 6);
    try (StoreWriter writer = SyntheticStore.create(store, header)) {
      StoreFixture.append(writer, header.plan(), 0, header.plan().size(), new Random(1));
    }
    return store;
  }

  private static void readAll(Path store) {
    SyntheticStore.verify(store);
    SyntheticStore opened = SyntheticStore.open(store);
    opened.entries().forEach(entry -> opened.json(entry));
  }

  @Test
  void shardsOfAStore() throws IOException {
    Path store = store();
    Path shard = store.resolve("000000.tar");
    Mutations.check(
        Files.readAllBytes(shard),
        ROUNDS / 3,
        MOST_BYTES,
        bytes -> {
          Files.write(shard, bytes);
          readAll(store);
        });
  }

  @Test
  void headersOfAStore() throws IOException {
    Path store = store();
    Path header = store.resolve(StoreHeader.FILE);
    Mutations.check(
        Files.readAllBytes(header),
        ROUNDS,
        MOST_BYTES,
        bytes -> {
          Files.write(header, bytes);
          readAll(store);
        });
  }

  /** With checksums that are right, so that the damage reaches what they protect. */
  @Test
  void journalsOfAStore() throws IOException {
    Path store = store();
    Path journal = StoreJournal.file(store);
    byte[] valid = Files.readAllBytes(journal);
    Mutations.check(
        valid,
        ROUNDS / 3,
        MOST_BYTES,
        bytes -> {
          Files.write(journal, bytes);
          readAll(store);
        });
    Mutations.check(
        valid,
        ROUNDS,
        MOST_BYTES,
        bytes -> {
          Files.write(journal, sealed(bytes));
          readAll(store);
        });
  }

  private static byte[] sealed(byte[] journal) {
    var out = new StringBuilder();
    new String(journal, StandardCharsets.ISO_8859_1)
        .lines()
        .forEach(
            line -> {
              String text = line.substring(0, Math.max(0, line.length() - 9));
              var crc = new CRC32C();
              crc.update(text.getBytes(StandardCharsets.ISO_8859_1));
              out.append(text).append(String.format(" %08x%n", crc.getValue()));
            });
    return out.toString().getBytes(StandardCharsets.ISO_8859_1);
  }
}
