// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The two forms of a checkpoint around its pickle: zip archives and legacy files, damaged one rule at a time. */
class TorchFormsTest {
  private static final byte[] PICKLE = pickle();
  private static final byte[] FLOATS = RawZip.floats();

  @TempDir Path folder;

  private static byte[] pickle() {
    return new RawPickle().ops("}").text("w").tensor(0, new long[] {4}, new long[] {1}).ops("s").stop();
  }

  @Test
  void entries_compressed_or_encrypted() throws IOException {
    refused(new RawZip().add("a/data.pkl", PICKLE, 0, 8, PICKLE.length, 0).end(), "\"a/data.pkl\" is compressed or encrypted");
    refused(new RawZip().add("a/data.pkl", PICKLE, 1, 0, PICKLE.length, 0).end(), "\"a/data.pkl\" is compressed or encrypted");
  }

  /** Bit 3: the local header has no sizes, a descriptor follows. The directory has them. */
  @Test
  void data_descriptors_are_not_needed() throws IOException {
    byte[] descriptor = Arrays.copyOf(FLOATS, 32);
    RawZip zip = new RawZip().add("a/data.pkl", PICKLE);
    Path file = write(zip.add("a/data/0", descriptor, 8, 0, 16, zip.size()).end());
    try (TorchFile read = TorchFile.open(file)) {
      assertThat(read.tensor("w").toFloats()).containsExactly(0, 1, 2, 3);
    }
  }

  @Test
  void entries_that_overlap() throws IOException {
    RawZip long0 = new RawZip().add("a/data.pkl", PICKLE);
    refused(long0.add("a/data/0", FLOATS, 0, 0, 17, long0.size()).end(), "\"a/data/0\" overlaps what comes after it");
    RawZip same = new RawZip().add("a/data.pkl", PICKLE).add("a/data/0", FLOATS);
    refused(same.directory("a/data/1", 0, 0, 16, 0, new byte[0]).end(), "\"a/data/1\" overlaps another");
    refused(new RawZip().add("a/data.pkl", PICKLE, 0, 0, PICKLE.length + 1, 0).add("a/data/0", FLOATS).end(), "overlaps what comes after");
  }

  @Test
  void entries_that_appear_twice() throws IOException {
    refused(new RawZip().add("a/data.pkl", PICKLE).add("a/data/0", FLOATS).add("a/data/0", FLOATS).end(), "two entries \"a/data/0\"");
    refused(new RawZip().add("a/data.pkl", PICKLE).add("b/data.pkl", PICKLE).end(), "with 2 data.pkl");
  }

  @Test
  void headers_that_say_something_else() throws IOException {
    int at = new RawZip().add("a/data.pkl", PICKLE).size();
    byte[] bytes = new RawZip().add("a/data.pkl", PICKLE).add("a/data/0", FLOATS).end();
    byte[] renamed = bytes.clone();
    renamed[at + 30 + 7] = '7';
    refused(renamed, "has another name in its own header");
    byte[] headless = bytes.clone();
    headless[at] = 'Q';
    refused(headless, "\"a/data/0\" has no header");
  }

  @Test
  void entries_outside_of_the_file() throws IOException {
    refused(new RawZip().add("a/data.pkl", PICKLE, 0, 0, PICKLE.length, 1 << 30).end(), "lies outside of the file");
    refused(new RawZip().add64("a/data.pkl", PICKLE, PICKLE.length, -1).end64(0), "lies outside of the file");
    refused(new RawZip().add64("a/data.pkl", PICKLE, -1, 0).end64(0), "lies outside of the file");
    refused(new RawZip().add64("a/data.pkl", PICKLE, Long.MAX_VALUE, 0).end64(0), "overlaps what comes after it");
    refused(new RawZip().add("a/data.pkl", PICKLE, 0, 0, -1, 0).end(), "damaged zip directory");
  }

  @Test
  void directories_that_are_wrong() throws IOException {
    byte[] none = new byte[0];
    refused(new RawZip().add("a/data.pkl", PICKLE).end(2, 0, none), "zip directory of");
    refused(new RawZip().add("a/data.pkl", PICKLE).add("a/data/0", FLOATS).end(1, 0, none), "bytes left over");
    refused(new RawZip().add("a/data.pkl", PICKLE).end(1, 1000, none), "outside of the file; truncated?");
    refused(new RawZip().add("a/data.pkl", PICKLE).end(1, -1, none), "damaged zip directory");
    refused(new RawZip().add("a/data.pkl", PICKLE).end64(1L << 40), "truncated?");
    refused(new RawZip().add("a/data.pkl", PICKLE).end64(1), "Zip64 end that is not where it should be");
    refused(new RawZip().add("a/data.pkl", PICKLE).end64(-1), "Zip64 end that is not where it should be");
  }

  @Test
  void archives_that_are_something_else() throws IOException {
    refused(new RawZip().add("word/document.xml", PICKLE).end(), "with 0 data.pkl, expected a PyTorch checkpoint");
    refused(new RawZip().add("a/data.pkl", PICKLE).add("a/constants.pkl", PICKLE).end(), "TorchScript");
  }

  @Test
  void byte_orders() throws IOException {
    for (String order : new String[] {"big", "LITTLE", "littleendian", ""}) {
      refused(new RawZip().add("a/data.pkl", PICKLE).add("a/byteorder", order.getBytes()).end(), "only little-endian");
    }
    refused(legacy(new RawPickle().ops("}").text("little_endian").op(0x89).ops("s").stop(), "0", 4, FLOATS), "big-endian machine");
  }

  @Test
  void legacyFilesAreRead() throws IOException {
    Path file = write(legacy(system(), "0", 4, FLOATS));
    try (TorchFile read = TorchFile.open(file)) {
      assertThat(read.tensor("w").toFloats()).containsExactly(0, 1, 2, 3);
    }
  }

  @Test
  void legacy_storages_that_are_wrong() throws IOException {
    refused(legacy(system(), "0", 5, FLOATS), "storage \"0\" has 5 elements, expected 4");
    refused(legacy(system(), "0", -1, FLOATS), "storage \"0\" has -1 elements, expected 4");
    refused(legacy(system(), "0", 4, Arrays.copyOf(FLOATS, 15)), "ends before storage \"0\" of 16 bytes");
    refused(legacy(system(), "0", 4, Arrays.copyOf(FLOATS, 17)), "1 bytes after its last storage");
    refused(legacy(system(), "1", 4, FLOATS), "a storage that no tensor is in");
    refused(legacyOf(PICKLE, system(), new RawPickle().ops("]").stop(), new byte[0]), "storage \"0\" is missing");
    byte[] twice = new RawPickle().ops("](").text("0").text("0").ops("e").stop();
    refused(legacyOf(PICKLE, system(), twice, new byte[100]), "storage \"0\" has 0 elements");
    refused(legacyOf(PICKLE, system(), new RawPickle().ops("N").stop(), new byte[0]), "no list of storages");
    refused(legacyOf(PICKLE, new RawPickle().ops("N").stop(), new byte[0], new byte[0]), "on what system");
    byte[] evil = new RawPickle().global("os", "system").text("x").op(0x85).ops("R").stop();
    refused(legacyOf(evil, system(), new byte[0], new byte[0]), "\"os.system\"");
    refused(legacyOf(PICKLE, evil, new byte[0], new byte[0]), "\"os.system\"");
  }

  @Test
  void legacy_protocols() throws IOException {
    byte[] bytes = legacy(system(), "0", 4, FLOATS);
    bytes[15 + 3]++;
    refused(bytes, "another protocol than 1001");
  }

  private static byte[] system() {
    return new RawPickle().ops("}").text("little_endian").op(0x88).ops("s").stop();
  }

  private static byte[] legacy(byte[] system, String key, long elements, byte[] data) {
    byte[] keys = new RawPickle().ops("]").text(key).ops("a").stop();
    byte[] counted = new RawPickle().int8(elements).bytes(data).stop();
    return legacyOf(PICKLE, system, keys, Arrays.copyOfRange(counted, 2, counted.length - 1));
  }

  private static byte[] legacyOf(byte[] pickle, byte[] system, byte[] keys, byte[] data) {
    byte[] magic = {(byte) 0x8a, 10, 0x6c, (byte) 0xfc, (byte) 0x9c, 0x46, (byte) 0xf9, 0x20, 0x6a, (byte) 0xa8, 0x50, 0x19};
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new RawPickle().bytes(magic).stop());
    out.writeBytes(new RawPickle().op('M', 0xe9, 3).stop());
    out.writeBytes(system);
    out.writeBytes(pickle);
    out.writeBytes(keys);
    out.writeBytes(data);
    return out.toByteArray();
  }

  private void refused(byte[] bytes, String complaint) throws IOException {
    Path file = write(bytes);
    assertThatThrownBy(() -> TorchFile.open(file))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(complaint)
        .satisfies(e -> assertThat(e.getMessage().lines()).hasSize(1));
  }

  private Path write(byte[] bytes) throws IOException {
    return Files.write(folder.resolve("attack.ckpt"), bytes);
  }
}
