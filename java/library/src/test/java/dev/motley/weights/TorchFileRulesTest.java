// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.motley.InvalidInputException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each attack breaks one rule of a checkpoint, and must be refused in one line that names the file. */
class TorchFileRulesTest {
  private static final long[] FOUR = {4};
  private static final long[] ONE = {1};

  @TempDir Path folder;

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource({
    "os, system", "posix, system", "builtins, eval", "builtins, exec", "builtins, getattr", "__builtin__, __import__",
    "subprocess, Popen", "torch.hub, load", "torch, load", "numpy, load", "copyreg, _reconstructor", "operator, attrgetter",
    "pytorch_lightning, os.system", "pytorch_lightning.utilities, rank_zero_only", "omegaconf.os, system", "omegaconf, _X",
    "pytorch_lightningX, Y", "torch.nn.modules.linear, Linear", "collections, orderedDict", "'', eval", "os.path, ''",
    "numpy.core.multiarray.scalar, eval", "torch, FloatStorage.mro"
  })
  void names_of_code(String module, String name) throws IOException {
    byte[] here = dict().text("w").tensor(0, FOUR, ONE).text("x").global(module, name).ops("u").stop();
    refused(RawZip.of(here), "objects of \"" + module + "." + name + "\", which no state_dict needs");
    byte[] stacked = dict().text("w").text(module).text(name).op(0x93).ops("u").stop();
    refused(RawZip.of(stacked), "objects of \"" + module + "." + name + "\"");
  }

  @ParameterizedTest(name = "opcode {0}")
  @CsvSource({
    "i, 'ios\nsystem\n'", "o, ''", "P, '0\n'", "I, '1\n'", "L, '1L\n'", "F, '1.0\n'", "S, '''a''\n'", "V, 'a\n'", "U, '\u0001a'",
    "T, '\u0001\u0000\u0000\u0000a'", "p, '0\n'", "g, '0\n'", "l, ''", "d, ''", "2, ''", "\u0082, '\u0001'", "\u0097, ''", "\u0098, ''",
    "\u00ff, ''"
  })
  void opcodes_that_torch_never_writes(String opcode, String argument) throws IOException {
    refused(RawZip.of(new RawPickle().ops("}(").ops(opcode + argument).stop()), "which no state_dict needs");
  }

  @Test
  void counts_past_the_end() throws IOException {
    for (String opcode : new String[] {"X", "B", "\u008b"}) {
      pickleRefused(new RawPickle().ops(opcode).int4(Integer.MAX_VALUE), "asks for 2147483647 bytes");
      pickleRefused(new RawPickle().ops(opcode).int4(-1), "asks for 18446744073709551615 bytes");
    }
    for (String opcode : new String[] {"\u008d", "\u008e", "\u0095", "\u0096"}) {
      pickleRefused(new RawPickle().ops(opcode).int8(Long.MAX_VALUE), "asks for 9223372036854775807 bytes");
      pickleRefused(new RawPickle().ops(opcode).int8(1L << 32), "asks for 4294967296 bytes");
      pickleRefused(new RawPickle().ops(opcode).int8(-1), "asks for 18446744073709551615 bytes");
    }
    pickleRefused(new RawPickle().op(0x8a, 255), "asks for 255 bytes");
  }

  @Test
  void ints_without_end() throws IOException {
    pickleRefused(new RawPickle().op(0x8b).int4(300).bytes(new byte[300]), "an int of 300 bytes, at most 256");
  }

  @Test
  void names_without_end() throws IOException {
    pickleRefused(new RawPickle().ops("c" + "a".repeat(300)), "name of more than 256 bytes");
    pickleRefused(new RawPickle().text("a".repeat(300)).text("b").op(0x93), "is no name");
  }

  @Test
  void texts_that_are_not_utf8() throws IOException {
    pickleRefused(new RawPickle().ops("X").int4(1).op(0xff), "not valid UTF-8");
  }

  @Test
  void stacks_that_are_too_short() throws IOException {
    for (String code : new String[] {"", "0", "}(s", "}(u0(0", "}0a", ")R", "(Q", "\u0087", "q\0", "t", "e", "u"}) {
      assertThatThrownBy(() -> TorchFile.open(write(RawZip.of(new RawPickle().ops(code).stop()))))
          .as(code)
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("its pickle ");
    }
    pickleRefused(new RawPickle().ops("}}"), "values left over");
    pickleRefused(new RawPickle().ops("}(N"), "values left over");
  }

  @Test
  void memo_of_what_was_not_stored() throws IOException {
    pickleRefused(new RawPickle().op('h', 3), "recalls value 3");
    pickleRefused(new RawPickle().op('j').int4(-1), "recalls value 4294967295");
  }

  @Test
  void protocols_outside_of_2_to_5() throws IOException {
    pickleRefused(new RawPickle().op(0x80, 1), "protocol 1, expected 2 to 5");
    pickleRefused(new RawPickle().op(0x80, 6), "protocol 6, expected 2 to 5");
  }

  @Test
  void things_done_to_what_they_cannot_be_done_to() throws IOException {
    pickleRefused(new RawPickle().ops("NN").ops("b"), "sets the state of what has none");
    pickleRefused(new RawPickle().ops("NNa"), "appends to what is no list");
    pickleRefused(new RawPickle().ops("NNNs"), "sets entries of what is no dict");
    pickleRefused(new RawPickle().ops("}(Nu"), "a key without a value");
    pickleRefused(new RawPickle().ops("N)R"), "what is no class");
    pickleRefused(new RawPickle().global("collections", "OrderedDict").ops("NR"), "arguments that are no tuple");
    pickleRefused(new RawPickle().global("collections", "OrderedDict").ops("N").op(0x85).ops("R"), "makes an OrderedDict of unexpected");
    pickleRefused(new RawPickle().global("torch", "FloatStorage").ops(")R"), "which is a type of elements");
    pickleRefused(new RawPickle().global("torch", "Size").ops(")R"), "makes a Size of unexpected");
    pickleRefused(new RawPickle().global("torch._utils", "_rebuild_tensor_v2").ops(")R"), "makes a tensor of unexpected");
    pickleRefused(new RawPickle().global("torch._utils", "_rebuild_parameter").ops("NNN").op(0x87).ops("R"), "makes a parameter of");
    pickleRefused(new RawPickle().global("torch._utils", "_rebuild_tensor_v2").ops("(NNNNNNtR"), "without a storage");
  }

  @Test
  void persistent_ids_that_are_no_storages() throws IOException {
    pickleRefused(new RawPickle().ops("NQ"), "no storage");
    pickleRefused(new RawPickle().text("storage").ops("Q"), "no storage");
    pickleRefused(new RawPickle().ops("(").text("module").ops("NNNNtQ"), "no storage");
    pickleRefused(new RawPickle().storage("collections.OrderedDict", "0", 4), "no storage");
    pickleRefused(new RawPickle().storage("torch.FloatStorage", "0", -4), "no storage");
    RawPickle twoTypes = new RawPickle().ops("(").storage("torch.FloatStorage", "0", 4).storage("torch.HalfStorage", "0", 4);
    pickleRefused(twoTypes, "two types or sizes");
  }

  @Test
  void tensors_of_wrong_geometry() throws IOException {
    long large = Long.MAX_VALUE;
    tensorRefused(new RawPickle().tensor(0, new long[] {-1}, ONE), "negative size");
    tensorRefused(new RawPickle().tensor(0, FOUR, new long[] {-1}), "negative stride");
    tensorRefused(new RawPickle().tensor(-1, FOUR, ONE), "negative offset");
    tensorRefused(new RawPickle().tensor(0, FOUR, new long[] {}), "1 sizes and 0 strides");
    tensorRefused(new RawPickle().tensor(0, new long[65], new long[65]), "65 sizes");
    tensorRefused(new RawPickle().tensor(large, FOUR, ONE), "impossible size");
    tensorRefused(new RawPickle().tensor(large / 4, FOUR, ONE), "impossible size");
    tensorRefused(new RawPickle().tensor(0, FOUR, new long[] {large}), "impossible size");
    tensorRefused(new RawPickle().tensor(0, new long[] {large, large}, new long[] {0, 0}), "impossible size");
    tensorRefused(new RawPickle().tensor(0, new long[] {1L << 61}, new long[] {0}), "impossible size");
    tensorRefused(new RawPickle().tensor(1, FOUR, ONE), "reaches to byte 20 of storage \"0\", which has 16");
    tensorRefused(new RawPickle().tensor(0, new long[] {2}, new long[] {4}), "reaches to byte 20");
    tensorRefused(new RawPickle().tensor(5, new long[] {0}, ONE), "reaches to byte 20");
    tensorRefused(new RawPickle().tensor("torch.FloatStorage", 5, 0, FOUR, ONE), "has 16 bytes, expected 5 elements");
    tensorRefused(new RawPickle().tensor("torch.FloatStorage", large, 0, FOUR, ONE), "impossible size of 9223372036854775807");
  }

  @Test
  void expansion_of_a_small_storage() throws IOException {
    tensorRefused(new RawPickle().tensor(0, new long[] {1 << 28}, new long[] {0}), "take 1073741824 bytes and more");
    RawPickle many = dict();
    for (int i = 0; i < 1000; i++) {
      many.text("w" + i).tensor(0, new long[] {1000}, new long[] {0});
    }
    refused(RawZip.of(many.ops("u").stop()), "strided tensors up to");
  }

  @Test
  void more_than_a_million_opcodes() throws IOException {
    byte[] pickle = new RawPickle().ops("](").ops("}".repeat(Unpickler.MAX_OPCODES)).ops("e").stop();
    refused(RawZip.of(pickle), "more than 1048576 opcodes");
    byte[] marks = new RawPickle().ops("(".repeat(Unpickler.MAX_OPCODES)).stop();
    refused(RawZip.of(marks), "more than 1048576 opcodes");
    RawPickle memo = new RawPickle().ops("N");
    for (int i = 0; i < Unpickler.MAX_OPCODES; i++) {
      memo.op('r').int4(i);
    }
    refused(RawZip.of(memo.stop()), "more than 1048576 opcodes");
  }

  /** Ten lists, each of ten of the one before: 10^10 values if anything walked them. */
  @Test
  void memo_bombs_and_cycles_are_not_walked() throws IOException {
    RawPickle bomb = dict().text("laughs").ops("]").op('q', 0);
    for (int level = 1; level <= 10; level++) {
      bomb.ops("0]").op('q', level).ops("(");
      for (int i = 0; i < 10; i++) {
        bomb.op('h', level - 1);
      }
      bomb.ops("e");
    }
    bomb.text("cycle").ops("]").op('q', 99).op('h', 99).ops("a");
    bomb.text("self").ops("}").op('q', 98).op('h', 98).op('h', 98).ops("s");
    bomb.op('h', 98).ops("N");
    bomb.text("deep").ops(")").bytes("\u0085".repeat(100_000).getBytes(StandardCharsets.ISO_8859_1));
    byte[] pickle = bomb.text("w").tensor(0, FOUR, ONE).ops("u").stop();
    try (TorchFile file = TorchFile.open(write(RawZip.of(pickle)))) {
      assertThat(file.names()).containsExactly("w");
    }
    // A dict that is its own state_dict.
    byte[] own = new RawPickle().ops("}").op('q', 0).text("state_dict").op('h', 0).ops("s").stop();
    refused(RawZip.of(own), "holds no tensors");
  }

  @Test
  void checkpoints_without_tensors() throws IOException {
    pickleRefused(new RawPickle().ops("N"), "its checkpoint is no dictionary");
    pickleRefused(new RawPickle().tensor(0, FOUR, ONE), "its checkpoint is no dictionary");
    pickleRefused(new RawPickle().ops("}").text("state_dict").ops("Ns"), "its state_dict is no dictionary");
    pickleRefused(new RawPickle().ops("}").text("model").ops("}s"), "found keys \"model\"");
  }

  @Test
  void keys_that_appear_twice() throws IOException {
    byte[] twice = dict().text("w").tensor(0, FOUR, ONE).text("w").tensor(0, FOUR, ONE).ops("u").stop();
    refused(RawZip.of(twice), "key \"w\" appears twice in its checkpoint");
    byte[] dicts = dict().text("state_dict").ops("}").text("state_dict").ops("}u").stop();
    refused(RawZip.of(dicts), "key \"state_dict\" appears twice");
  }

  /** What the reader allocates for a small file of large promises. */
  @Test
  void little_is_allocated() throws IOException {
    Path file = write(RawZip.of(new RawPickle().ops("}").text("w").op(0x8e).int8(1L << 40).stop()));
    assertThatThrownBy(() -> TorchFile.open(file)).isInstanceOf(InvalidInputException.class);
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    assertThatThrownBy(() -> TorchFile.open(file)).isInstanceOf(InvalidInputException.class);
    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(1 << 20);
  }

  private static RawPickle dict() {
    return new RawPickle().ops("}(");
  }

  private void tensorRefused(RawPickle tensor, String complaint) throws IOException {
    byte[] bytes = tensor.stop();
    byte[] value = Arrays.copyOfRange(bytes, 2, bytes.length - 1);
    refused(RawZip.of(new RawPickle().ops("}").text("w").bytes(value).ops("s").stop()), complaint);
  }

  private void pickleRefused(RawPickle pickle, String complaint) throws IOException {
    refused(RawZip.of(pickle.stop()), complaint);
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
