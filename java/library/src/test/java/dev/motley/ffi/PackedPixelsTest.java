// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.files.Sha256;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PackedPixelsTest {
  private static final int PICTURE = 1000;
  private static final int COUNT = 300;

  /** More than an array holds, and than 32 bits count with a sign. */
  private static final long FAR = (1L << 31) + 12_345;

  @TempDir Path folder;

  private PixelStorage upTo(long memory) {
    return new PixelStorage(folder, OptionalLong.of(memory));
  }

  private static byte[] random() {
    var bytes = new byte[PICTURE * COUNT];
    new Random(1).nextBytes(bytes);
    return bytes;
  }

  private static byte[] all(PackedPixels pixels) {
    var bytes = new byte[(int) pixels.size()];
    pixels.read(0, bytes);
    return bytes;
  }

  private PackedPixels write(byte[] bytes, PixelStorage storage, long expected) {
    try (var writer = new PixelWriter("some set", storage, expected)) {
      IntStream.range(0, COUNT)
          .parallel()
          .forEach(i -> writer.put((long) i * PICTURE, Arrays.copyOfRange(bytes, i * PICTURE, (i + 1) * PICTURE)));
      return writer.finish();
    }
  }

  private void assertNoFileHasAName() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  /** In memory, in a file, and in memory until they become too many; as many as expected, fewer and more. */
  @ParameterizedTest
  @ValueSource(longs = {0, 1, PICTURE, 7 * PICTURE + 1, PICTURE * COUNT - 1, PICTURE * COUNT, 10 * PICTURE * COUNT})
  void pixelsAreAsTheyWerePut(long memory) throws IOException {
    byte[] bytes = random();
    for (long expected : new long[] {0, 1, PICTURE * COUNT / 2, PICTURE * COUNT, 3 * PICTURE * COUNT}) {
      try (PackedPixels pixels = write(bytes, upTo(memory), expected)) {
        assertThat(pixels.isMapped()).isEqualTo(Math.max(expected, bytes.length) > memory);
        assertThat(all(pixels)).isEqualTo(bytes);
        var digest = Sha256.begin();
        pixels.digest(digest);
        assertThat(Sha256.hex(digest)).isEqualTo(Sha256.of(bytes));
        assertThat(pixels.storage()).isEqualTo(upTo(memory));
        assertNoFileHasAName(); // so that a process that is killed leaves none
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, Long.MAX_VALUE})
  void theyMayBeMoreThanAnArrayHolds(long memory) {
    try (var writer = new PixelWriter("large", upTo(memory), FAR)) {
      byte[] bytes = random();
      writer.put(FAR, bytes); // what lies before is never touched, and takes neither memory nor disk
      try (PackedPixels pixels = writer.finish()) {
        assertThat(pixels.size()).isEqualTo(FAR + bytes.length);
        assertThat(pixels.isMapped()).isEqualTo(memory == 0);
        var read = new byte[bytes.length];
        pixels.read(FAR, read);
        assertThat(read).isEqualTo(bytes);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 100})
  void noneAtAllIsASizeToo(long memory) {
    try (var writer = new PixelWriter("none", upTo(memory), 0);
        PackedPixels pixels = writer.finish()) {
      assertThat(pixels.size()).isZero();
      assertThat(all(pixels)).isEmpty();
      assertThatThrownBy(() -> pixels.read(0, new byte[1]))
          .isInstanceOf(InvalidInputException.class)
          .hasMessage("bytes [0, 1) of 0");
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, PICTURE * COUNT})
  void whatIsClosedIsRefused(long memory) {
    PackedPixels pixels = write(random(), upTo(memory), 0);
    var one = new byte[1];
    assertThatThrownBy(() -> pixels.read(pixels.size(), one)).hasMessage("bytes [300,000, 300,001) of 300,000");
    assertThatThrownBy(() -> pixels.read(-1, one)).hasMessage("bytes [-1, 0) of 300,000");
    pixels.close();
    pixels.close();
    assertThatThrownBy(() -> pixels.read(0, one))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("PackedPixels is closed");
    assertThatThrownBy(() -> pixels.digest(Sha256.begin())).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> NativeImages.create(10, 10, pixels, new int[PICTURE])).isInstanceOf(IllegalStateException.class);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, PICTURE * COUNT})
  void aWriterGivesItsPixelsAwayOnce(long memory) {
    var writer = new PixelWriter("set", upTo(memory), 3);
    writer.put(0, new byte[] {1, 2, 3});
    PackedPixels pixels = writer.finish();
    writer.close();
    writer.close();
    assertThat(all(pixels)).containsExactly(1, 2, 3);
    assertThatThrownBy(writer::finish).isInstanceOf(IllegalStateException.class).hasMessage("PixelWriter is closed");
    assertThatThrownBy(() -> writer.put(0, new byte[1])).isInstanceOf(IllegalStateException.class);
    pixels.close();
  }

  @Test
  void aDiskThatIsTooSmallIsNamedBeforeAnythingIsWritten() throws IOException {
    assertThatThrownBy(() -> new PixelWriter("birds", upTo(0), 1L << 60))
        .isInstanceOf(ResourceException.class)
        .hasMessageMatching(
            "too little space on the disk of %s: [\\d,]+ MB are free, the pixels of birds need 1,152,921,504,607 MB; TMPDIR names another folder"
                .formatted(folder));
    assertNoFileHasAName();
  }

  @Test
  void aFolderThatCannotBeWrittenIsNamed() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    for (Path wrong : new Path[] {folder.resolve("none"), file}) {
      assertThatThrownBy(() -> new PixelWriter("birds", PixelStorage.mapped(wrong), 12))
          .isInstanceOf(ResourceException.class)
          .hasMessage("cannot write the pixels of birds to %s: no such folder; TMPDIR names another folder", wrong);
    }
  }

  @Test
  void aFolderOfSomebodyElseIsNamed() throws IOException {
    Path closed = Files.createDirectory(folder.resolve("closed"), PosixFilePermissions.asFileAttribute(Set.of(PosixFilePermission.OWNER_READ)));
    assumeThat(Files.isWritable(closed)).as("root may write anywhere").isFalse();
    assertThatThrownBy(() -> new PixelWriter("birds", PixelStorage.mapped(closed), 12))
        .isInstanceOf(ResourceException.class)
        .hasMessage("cannot write the pixels of birds to %s: permission denied; TMPDIR names another folder", closed);
  }

  @Test
  void whereThereIsNoMemoryThatIsSaid() {
    assertThatThrownBy(() -> new PixelWriter("birds", upTo(Long.MAX_VALUE), 1L << 60))
        .isInstanceOf(ResourceException.class)
        .hasMessage("no memory for the pixels of birds: they need 1,099,511,627,776 MiB");
  }

  @Test
  void pixelsThatCannotBeStoredLeaveTheOthersAsTheyAre() {
    try (var writer = new PixelWriter("set", new PixelStorage(folder.resolve("none"), OptionalLong.of(3)), 3)) {
      writer.put(0, new byte[] {1, 2});
      assertThatThrownBy(() -> writer.put(2, new byte[2])).isInstanceOf(ResourceException.class);
      try (PackedPixels pixels = writer.finish()) {
        assertThat(all(pixels)).containsExactly(1, 2);
      }
    }
  }

  @Test
  void pixelsThatNobodyClosesAreCollected() throws InterruptedException {
    Arena arena = Arena.ofShared();
    forget(arena);
    for (int i = 0; i < 100 && arena.scope().isAlive(); i++) {
      System.gc();
      Thread.sleep(10);
    }
    assertThat(arena.scope().isAlive()).isFalse();
  }

  private void forget(Arena arena) {
    assertThat(new PackedPixels(arena, arena.allocate(3), upTo(3), false).size()).isEqualTo(3);
  }

  @Test
  void theEnvironmentNamesTheFolder() {
    assertThat(PixelStorage.standard(Map.of("TMPDIR", "/scratch")).folder()).isEqualTo(Path.of("/scratch"));
    for (Map<String, String> unset : Map.of(1, Map.<String, String>of(), 2, Map.of("TMPDIR", "")).values()) {
      assertThat(PixelStorage.standard(unset).folder()).isIn(Path.of("/var/tmp"), Path.of(System.getProperty("java.io.tmpdir")));
    }
    assertThat(PixelStorage.standard().limit()).isBetween(1L, AvailableMemory.bytes());
    assertThatThrownBy(() -> upTo(-1)).isInstanceOf(InvalidInputException.class);
  }
}
