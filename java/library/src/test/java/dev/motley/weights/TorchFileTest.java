// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.testing.Shared;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints that PyTorch wrote, and what may stand in them; attacks are in TorchFileRulesTest. */
class TorchFileTest {
  private static final long[] FOUR = {4};
  private static final long[] ONE = {1};

  @TempDir Path folder;

  private static Path golden(String name) {
    return Shared.repository().resolve("java/library/src/test/resources/dev/motley/weights/ckpt").resolve(name);
  }

  @ParameterizedTest
  @ValueSource(strings = {"lightning.ckpt", "lightning_protocol4.ckpt", "plain_state_dict.pt", "legacy.ckpt"})
  void holdsWhatTorchSaved(String name) {
    for (long window : new long[] {1, 100, ByteRange.WINDOW_BYTES}) {
      try (SafeTensors expected = SafeTensors.open(golden("expected.safetensors"));
          TorchFile file = TorchFile.open(golden(name), window)) {
        assertThat(file.names()).hasSize(19).containsExactlyInAnyOrderElementsOf(expected.names());
        assertThat(file.names()).startsWith("model.diffusion_model.time_embed.0.weight", "model.diffusion_model.out.2.bias");
        for (TensorView tensor : expected.tensors().values()) {
          TensorView found = file.tensor(tensor.name());
          assertThat(found.dtype()).as(tensor.name()).isEqualTo(tensor.dtype());
          assertThat(found.shape()).as(tensor.name()).isEqualTo(tensor.shape());
          assertThat(found.data()).as(tensor.name()).isEqualTo(tensor.data());
          assertThat(found.data().isDirect()).isTrue();
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "refuse_os_system.ckpt, \"posix.system\"",
    "refuse_eval.ckpt, \"__builtin__.eval\"",
    "refuse_getattr.ckpt, \"__builtin__.getattr\"",
    "refuse_setattr_class.ckpt, \"__builtin__.type\"",
    "refuse_huge_size.ckpt, impossible size",
    "refuse_missing_storage.ckpt, no entry \"plain_state_dict/data/0\"",
    "refuse_short_storage.ckpt, has 4 bytes",
    "refuse_negative_offset.ckpt, negative offset",
    "refuse_reach_past_end.ckpt, tensor \"w\" reaches to byte 4000 of storage \"0\"",
    "refuse_truncated_pickle.ckpt, asks for 10 bytes where 7 are left",
    "refuse_truncated_zip.ckpt, truncated?",
    "refuse_not_a_checkpoint.ckpt, is no PyTorch checkpoint",
  })
  void refusesInOneLineAndRunsNothing(String name, String complaint) throws IOException {
    assertThatThrownBy(() -> TorchFile.open(golden(name)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(name)
        .hasMessageContaining(complaint)
        .satisfies(e -> assertThat(e.getMessage().lines()).hasSize(1));
    try (Stream<Path> here = Files.list(Path.of(""))) {
      assertThat(here).doesNotContain(Path.of("motley_owned"));
    }
  }

  @Test
  void everyGoldenThatMustBeRefusedIsRefused() throws IOException {
    try (Stream<Path> files = Files.list(golden(""))) {
      List<Path> attacks = files.filter(file -> file.getFileName().toString().startsWith("refuse_")).toList();
      assertThat(attacks).hasSize(12);
      for (Path attack : attacks) {
        assertThatThrownBy(() -> TensorFile.open(attack)).isInstanceOf(InvalidInputException.class);
      }
    }
  }

  @Test
  void stridedTensorsAreCopiedAndDenseOnesAreNot() throws IOException {
    byte[] pickle =
        new RawPickle()
            .ops("}(")
            .text("dense")
            .tensor(1, new long[] {1, 3}, new long[] {77, 1})
            .text("transposed")
            .tensor(0, new long[] {2, 2}, new long[] {1, 2})
            .text("scalar")
            .tensor(2, new long[] {}, new long[] {})
            .text("none")
            .tensor(4, new long[] {0, 3}, new long[] {3, 1})
            .text("everyOther")
            .tensor(1, new long[] {2}, new long[] {2})
            .text("repeated")
            .tensor(3, new long[] {3}, new long[] {0})
            .ops("u")
            .stop();
    try (TorchFile file = TorchFile.open(write(RawZip.of(pickle)))) {
      assertThat(file.names()).containsExactly("dense", "transposed", "scalar", "none", "everyOther", "repeated");
      assertThat(file.tensor("dense").toFloats()).containsExactly(1, 2, 3);
      assertThat(file.tensor("transposed").toFloats()).containsExactly(0, 2, 1, 3);
      assertThat(file.tensor("scalar").toFloats()).containsExactly(2);
      assertThat(file.tensor("scalar").shape()).isEmpty();
      assertThat(file.tensor("none").toFloats()).isEmpty();
      assertThat(file.tensor("everyOther").toFloats()).containsExactly(1, 3);
      assertThat(file.tensor("repeated").toFloats()).containsExactly(3, 3, 3);
    }
  }

  /** So tables of contents can be looked at without the memory that the weights would take. */
  @Test
  void stridedTensorsTakeNoMemoryBeforeTheirBytesAreAskedFor() throws IOException {
    int side = 2048;
    byte[] content = new byte[Float.BYTES * side * side];
    content[Float.BYTES] = 1; // the second element as it is stored is the first of the second row
    byte[] pickle =
        new RawPickle()
            .ops("}")
            .text("w")
            .tensor("torch.FloatStorage", side * side, 0, new long[] {side, side}, new long[] {1, side})
            .ops("s")
            .stop();
    Path path = write(new RawZip().add("a/data.pkl", pickle).add("a/data/0", content).end());
    try (TorchFile file = TorchFile.open(path)) {
      long before = directMemory();
      TensorView tensor = file.tensors().get("w").renamed("v").reshaped(side, side, 1, 1);
      assertThat(new Part("p", path, Map.of("v", tensor)).bytes()).isEqualTo(content.length);
      assertThat(directMemory() - before).isLessThan(content.length / 2);
      ByteBuffer copy = tensor.data();
      assertThat(directMemory() - before).isGreaterThan(content.length / 2);
      assertThat(copy.remaining()).isEqualTo(content.length);
      assertThat(copy.getInt(Float.BYTES * side)).isEqualTo(1);
      assertThat(copy.getInt(Float.BYTES)).isEqualTo(0);
    }
  }

  private static long directMemory() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }

  @ParameterizedTest
  @CsvSource({
    "torch.DoubleStorage, F64, 2", "torch.FloatStorage, F32, 4", "torch.HalfStorage, F16, 8", "torch.BFloat16Storage, BF16, 8",
    "torch.LongStorage, I64, 2", "torch.IntStorage, I32, 4", "torch.ShortStorage, I16, 8", "torch.CharStorage, I8, 16",
    "torch.ByteStorage, U8, 16", "torch.BoolStorage, BOOL, 16", "torch.ComplexFloatStorage, C64, 2",
    "torch.storage.UntypedStorage, U8, 16",
  })
  void everyTypeOfStorage(String storage, DType type, long elements) throws IOException {
    byte[] pickle =
        new RawPickle()
            .ops("}")
            .text("w")
            .tensor(storage, elements, 0, new long[] {2, elements / 2}, new long[] {1, 2})
            .ops("s")
            .stop();
    try (TorchFile file = TorchFile.open(write(RawZip.of(pickle)))) {
      TensorView tensor = file.tensor("w");
      assertThat(tensor.dtype()).isEqualTo(type);
      int width = type.bits() / 8;
      ByteBuffer stored = ByteBuffer.wrap(RawZip.floats());
      // Row 1 of the transposed matrix begins with the storage's second element.
      assertThat(tensor.data().slice(8, width)).isEqualTo(stored.slice(width, width));
    }
  }

  /** torch.save's form for types without a storage class of their own. */
  @Test
  void typesOverUntypedStorage() throws IOException {
    byte[] pickle =
        new RawPickle()
            .ops("}")
            .text("w")
            .global("torch._utils", "_rebuild_tensor_v3")
            .ops("(")
            .storage("torch.storage.UntypedStorage", "0", 16)
            .number(1)
            .numbers(3)
            .numbers(1)
            .op(0x89)
            .global("collections", "OrderedDict")
            .ops(")R")
            .global("torch", "uint32")
            .ops("tRs")
            .stop();
    try (TorchFile file = TorchFile.open(write(RawZip.of(pickle)))) {
      assertThat(file.tensor("w").dtype()).isEqualTo(DType.U32);
      assertThat(file.tensor("w").data()).isEqualTo(ByteBuffer.wrap(RawZip.floats()).slice(4, 12));
    }
  }

  /** As sd-v1-4.ckpt, whose callbacks are keyed by their class; and a state set by BUILD. */
  @Test
  void lightningsOwnClassesArePassedOver() throws IOException {
    byte[] pickle =
        new RawPickle()
            .ops("}(")
            .text("callbacks")
            .ops("}")
            .global("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint")
            .ops("}s")
            .text("hyper_parameters")
            .global("omegaconf.dictconfig", "DictConfig")
            .ops(")")
            .op(0x81)
            .ops("}b")
            .text("state_dict")
            .ops("}")
            .text("w")
            .tensor(0, FOUR, ONE)
            .ops("su")
            .stop();
    try (TorchFile file = TorchFile.open(write(RawZip.of(pickle)))) {
      assertThat(file.names()).containsExactly("w");
    }
  }

  @Test
  void sharedTensorsShareTheirBytes() throws IOException {
    byte[] pickle =
        new RawPickle().ops("}(").text("a").tensor(0, FOUR, ONE).op('q', 9).text("b").op('h', 9).ops("u").stop();
    try (TorchFile file = TorchFile.open(write(RawZip.of(pickle)))) {
      assertThat(file.tensor("b").toFloats()).containsExactly(file.tensor("a").toFloats());
    }
  }

  @Test
  void aZipCommentAndZip64AreRead() throws IOException {
    byte[] pickle = new RawPickle().ops("}").text("w").tensor(0, FOUR, ONE).ops("s").stop();
    RawZip commented = new RawZip().add("a/data.pkl", pickle).add("a/byteorder", "little".getBytes()).add("a/data/0", RawZip.floats());
    RawZip wide = new RawZip().add64("a/data.pkl", pickle, pickle.length, 0);
    wide.add64("a/data/0", RawZip.floats(), 16, wide.size());
    for (byte[] bytes : List.of(commented.end(3, 0, "PK\5\6 and more".getBytes()), wide.end64(0))) {
      try (TorchFile file = TorchFile.open(write(bytes))) {
        assertThat(file.tensor("w").toFloats()).containsExactly(0, 1, 2, 3);
      }
    }
  }

  /** A sparse file of 5 GiB, whose last storage lies behind the reach of 32 bits. */
  @Test
  void readsFilesAboveFourGibibytes() throws IOException {
    long hole = 5L << 30;
    byte[] pickle = new RawPickle().ops("}").text("w").tensor(0, FOUR, ONE).ops("s").stop();
    byte[] begin = new RawZip().add64("a/data.pkl", pickle, pickle.length, 0).end64(0);
    // The storage's entry and the directory of both, as if they began after the hole.
    RawZip tail = new RawZip().add64("a/data/0", RawZip.floats(), 16, hole);
    byte[] size = ByteBuffer.allocate(28).order(ByteOrder.LITTLE_ENDIAN).putShort((short) 1).putShort((short) 24)
        .putLong(pickle.length).putLong(pickle.length).putLong(0).array();
    byte[] end = tail.directory("a/data.pkl", 0, 0, -1, -1, size).end64(hole);
    Path path = folder.resolve("large.ckpt");
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.write(begin, 0, 30 + "a/data.pkl".length() + pickle.length);
      file.seek(hole);
      file.write(end);
    }
    try (TorchFile file = TorchFile.open(path)) {
      assertThat(file.tensor("w").toFloats()).containsExactly(0, 1, 2, 3);
    } finally {
      Files.delete(path);
    }
  }

  @Test
  void nothingIsGivenOutAfterClosing() {
    TorchFile file = TorchFile.open(golden("legacy.ckpt"));
    assertThatThrownBy(() -> file.tensor("absent")).isInstanceOf(InvalidInputException.class).hasMessageContaining("no tensor \"absent\"");
    TensorView view = file.tensor("param");
    file.close();
    file.close();
    assertThat(view.toFloats()).hasSize(6);
    assertThatThrownBy(() -> file.tensor("param")).isInstanceOf(IllegalStateException.class);
  }

  private Path write(byte[] bytes) throws IOException {
    return Files.write(folder.resolve("a.ckpt"), bytes);
  }
}
