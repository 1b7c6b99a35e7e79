// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.testing.Shared;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SafeTensorsTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void readsEveryType(DType dtype) throws IOException {
    int bytes = (int) dtype.bytes(new long[] {3, 8});
    Path file =
        RawFile.withHeader(
            folder,
            "{\"t\":{\"dtype\":\""
                + dtype
                + "\",\"shape\":[3,8],\"data_offsets\":[0,"
                + bytes
                + "]}}  ",
            bytes);
    try (SafeTensors tensors = SafeTensors.open(file)) {
      TensorView view = tensors.tensor("t");
      assertThat(view.dtype()).isEqualTo(dtype);
      assertThat(view.shape()).containsExactly(3, 8);
      assertThat(view.elements()).isEqualTo(24);
      ByteBuffer data = view.data();
      assertThat(data.isReadOnly()).isTrue();
      assertThat(data.isDirect()).isTrue();
      assertThat(data.order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
      assertThat(data.remaining()).isEqualTo(3 * dtype.bits());
      assertThat(data.get(bytes - 1)).isEqualTo((byte) (bytes - 1));
    }
  }

  @Test
  void acceptsScalarsEmptyTensorsUnknownFieldsAndEmptyFiles() throws IOException {
    Path file =
        RawFile.withHeader(
            folder,
            """
            {"s":{"dtype":"U8","shape":[],"data_offsets":[0,1],"note":[1,{"x":2}]},\
            "e":{"dtype":"F32","shape":[0,7],"data_offsets":[1,1]},"f":{"shape":[2,0],"data_offsets":[1,1],"dtype":"F64"}}\
            """,
            1);
    try (SafeTensors tensors = SafeTensors.open(file)) {
      assertThat(tensors.names()).containsExactly("s", "e", "f");
      assertThat(tensors.tensor("s").elements()).isEqualTo(1);
      assertThat(tensors.tensor("e").toFloats()).isEmpty();
      assertThat(tensors.tensor("f").data().isDirect()).isTrue();
      assertThat(tensors.metadata()).isEmpty();
    }
    try (SafeTensors none = SafeTensors.open(RawFile.withHeader(folder, "{}", 0))) {
      assertThat(none.names()).isEmpty();
    }
  }

  /** Every half-precision pattern, against arithmetic on its bits. */
  @Test
  void convertsEveryF16AndBf16PatternExactly() {
    ByteBuffer bytes = ByteBuffer.allocateDirect(2 << 16).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 1 << 16; i++) {
      bytes.putShort(2 * i, (short) i);
    }
    float[] halves = new TensorView("h", DType.F16, new long[] {1 << 16}, bytes).toFloats();
    float[] brains = new TensorView("b", DType.BF16, new long[] {1 << 16}, bytes).toFloats();
    for (int i = 0; i < 1 << 16; i++) {
      int exponent = i >> 10 & 31;
      int fraction = i & 1023;
      double sign = i >> 15 == 0 ? 1 : -1;
      if (exponent < 31) {
        double value =
            exponent == 0
                ? fraction * Math.pow(2, -24)
                : (1 + fraction / 1024.0) * Math.pow(2, exponent - 15);
        assertThat(halves[i]).isEqualTo((float) (sign * value));
      } else {
        assertThat(Float.isNaN(halves[i])).isEqualTo(fraction != 0);
        assertThat(Float.isInfinite(halves[i])).isEqualTo(fraction == 0);
      }
      assertThat(Float.floatToRawIntBits(brains[i]) >>> 16).isEqualTo(i);
    }
  }

  @Test
  void wholeNumbersAreNotTakenForFloats() {
    assertThatThrownBy(() -> TensorView.ofLongs("ids", new long[] {1}, 3).toFloats())
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("tensor \"ids\" is I64; expected F32, F16, BF16 or F64");
  }

  @Test
  void writesWhatItReadsSortedAlignedAndRepeatably() throws IOException {
    List<TensorView> tensors =
        List.of(
            TensorView.ofFloats("z", new long[] {2}, 1.5f, Float.NaN),
            TensorView.ofFloats("a \"quoted\"\n", new long[] {1, 1}, -0f),
            TensorView.ofLongs("steps", new long[] {}, Long.MIN_VALUE));
    Path file = folder.resolve("out.safetensors");
    SafeTensorsWriter.write(file, tensors, Map.of("epoch", "3", "arch", "resnet50"));
    byte[] first = Files.readAllBytes(file);
    SafeTensorsWriter.write(file, tensors.reversed(), Map.of("arch", "resnet50", "epoch", "3"));
    assertThat(Files.readAllBytes(file)).isEqualTo(first);
    assertThat(ByteBuffer.wrap(first).order(ByteOrder.LITTLE_ENDIAN).getLong() % 8).isZero();
    try (SafeTensors read = SafeTensors.open(file);
        Stream<Path> left = Files.list(folder)) {
      assertThat(read.names()).containsExactly("steps", "a \"quoted\"\n", "z");
      assertThat(read.tensor("z").toFloats()).containsExactly(1.5f, Float.NaN);
      assertThat(read.tensor("steps").toLongs()).containsExactly(Long.MIN_VALUE);
      assertThat(read.metadata())
          .containsExactly(Map.entry("arch", "resnet50"), Map.entry("epoch", "3"));
      assertThat(left).containsExactly(file);
    }
  }

  @Test
  void refusesTwoTensorsOfOneNameAndUnwritablePlaces() throws IOException {
    TensorView a = TensorView.ofFloats("a", new long[] {1}, 1);
    assertThatThrownBy(() -> SafeTensorsWriter.write(folder.resolve("x"), List.of(a, a), Map.of()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("two tensors are named \"a\"");
    Path inTheWay = Files.writeString(folder.resolve("a-file"), "");
    assertThatThrownBy(() -> SafeTensorsWriter.write(inTheWay.resolve("x"), List.of(a), Map.of()))
        .isInstanceOf(ResourceException.class)
        .hasMessageContaining("cannot write " + inTheWay.resolve("x"));
    assertThat(folder.toFile().list()).containsExactly("a-file");
  }

  @Test
  void sizesThatDoNotFitTheShapeAreRefused() {
    assertThatThrownBy(() -> TensorView.ofFloats("w", new long[] {2, 2}, 1, 2, 3))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("tensor \"w\": shape [2, 2] of F32 needs 16 bytes, found 12");
  }

  @Test
  void windowsAreCutBetweenTensors() throws IOException {
    Path file = folder.resolve("windows.safetensors");
    List<TensorView> tensors =
        java.util.stream.IntStream.range(0, 50)
            .mapToObj(
                i ->
                    TensorView.ofFloats(
                        String.format("t%02d", i), new long[] {i % 7}, new float[i % 7]))
            .toList();
    SafeTensorsWriter.write(file, tensors, Map.of());
    for (long window : new long[] {1, 16, 17, 100, 1 << 20}) {
      try (SafeTensors read = SafeTensors.open(file, window)) {
        assertThat(read.tensors().values().stream().map(TensorView::elements))
            .containsExactlyElementsOf(tensors.stream().map(TensorView::elements).toList());
      }
    }
  }

  /** A sparse file of 4.5 GiB: takes no room on disk where the file system knows holes. */
  @Test
  void readsFilesAboveTwoGibibytes() throws IOException {
    long each = 3L << 29;
    StringBuilder header = new StringBuilder("{");
    for (int i = 0; i < 3; i++) {
      header.append(
          String.format(
              "%s\"t%d\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[%d,%d]}",
              i == 0 ? "" : ",", i, each, i * each, (i + 1) * each));
    }
    byte[] text = header.append("}").toString().getBytes(StandardCharsets.UTF_8);
    Path path = folder.resolve("large.safetensors");
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.write(
          ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).array());
      file.write(text);
      file.setLength(8 + text.length + 3 * each);
      file.seek(8 + text.length + 3 * each - 1);
      file.write(42);
    }
    try (SafeTensors tensors = SafeTensors.open(path)) {
      assertThat(tensors.tensor("t2").data().get((int) each - 1)).isEqualTo((byte) 42);
      assertThat(tensors.tensor("t0").data().get(0)).isZero();
    } finally {
      Files.delete(path);
    }
  }

  @Test
  void readsWhatTheReferenceLibraryWrote() {
    Path file = Shared.path("data/weights/resnet20-12fca82f-cifar10.safetensors");
    try (SafeTensors tensors = SafeTensors.open(file)) {
      assertThat(tensors.names()).hasSize(97);
      assertThat(tensors.metadata()).containsEntry("license", "BSD-2-Clause");
      assertThat(tensors.tensors().values().stream().mapToLong(TensorView::elements).sum())
          .isEqualTo(271_098);
      assertThat(tensors.tensor("layer2.0.bn2.bias").shape()).containsExactly(32);
    }
  }
}
