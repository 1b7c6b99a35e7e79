// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.BatchNormMode;
import dev.motley.Precision;
import dev.motley.Stem;
import dev.motley.testing.Shared;
import java.io.IOException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The table in {@link Header} against the file it stands for. */
class HeaderTest {

  private static final CHeader C = CHeader.parse(source());

  @Test
  void functionsAreThoseOfTheHeader() {
    Map<String, String> java = new LinkedHashMap<>();
    Header.allFunctions().forEach((name, descriptor) -> java.put(name, signature(descriptor)));
    assertThat(java).hasSizeGreaterThan(40).containsExactlyEntriesOf(C.functions());
  }

  @Test
  void structsAreThoseOfTheHeader() {
    List<String> names = Arrays.stream(Header.structs()).map(HeaderTest::name).toList();
    assertThat(names).containsExactlyInAnyOrderElementsOf(C.structs().keySet());
  }

  @Test
  void fieldsLieWhereTheCompilerPutsThem() {
    for (StructLayout layout : Header.structs()) {
      CHeader.CStruct struct = C.structs().get(name(layout));
      assertThat(layout.byteSize()).as(name(layout)).isEqualTo(struct.size());
      assertThat(layout.byteAlignment()).as(name(layout)).isEqualTo(struct.alignment());
      assertThat(fields(layout)).as(name(layout)).isEqualTo(struct.fields());
    }
  }

  @Test
  void constantsAreThoseOfTheHeader() {
    Map<String, Integer> expected = new LinkedHashMap<>();
    expected.put("MOTLEY_API_VERSION", Header.API_VERSION);
    expected.put("MOTLEY_MAX_BLOCKS", Header.MAX_BLOCKS);
    expected.put("MOTLEY_MAX_DIMS", Header.MAX_DIMS);
    expected.put("MOTLEY_MESSAGE_BYTES", Header.MESSAGE_BYTES);
    expected.put("MOTLEY_OK", Header.OK);
    expected.put("MOTLEY_INVALID_ARGUMENT", Header.INVALID_ARGUMENT);
    expected.put("MOTLEY_OUT_OF_MEMORY", Header.OUT_OF_MEMORY);
    expected.put("MOTLEY_CANCELLED", Header.CANCELLED);
    expected.put("MOTLEY_UNAVAILABLE", Header.UNAVAILABLE);
    expected.put("MOTLEY_INTERNAL", Header.INTERNAL);
    expected.put("MOTLEY_NOT_FINITE", Header.NOT_FINITE);
    putAll(expected, "MOTLEY_", DType.values());
    putAll(expected, "MOTLEY_PRECISION_", Precision.values());
    putAll(expected, "MOTLEY_ISA_", NativeRuntime.Isa.values());
    putAll(expected, "MOTLEY_", TextConfig.Activation.values());
    putAll(expected, "MOTLEY_BETAS_", DdimConfig.BetaSchedule.values());
    putAll(expected, "MOTLEY_BATCHNORM_", BatchNormMode.values());
    putAll(expected, "MOTLEY_STEM_", Stem.values());
    putAll(expected, "MOTLEY_STATE_", NativeTrainer.State.values());
    for (Published work : Published.values()) {
      expected.put("MOTLEY_PUBLISHED_" + work.name(), work.bit());
    }
    assertThat(C.constants()).containsExactlyInAnyOrderEntriesOf(expected);
  }

  private static void putAll(Map<String, Integer> constants, String prefix, Enum<?>[] values) {
    for (Enum<?> value : values) {
      constants.put(prefix + value.name(), value.ordinal());
    }
  }

  private static List<CHeader.CField> fields(StructLayout layout) {
    var fields = new ArrayList<CHeader.CField>();
    for (MemoryLayout member : layout.memberLayouts()) {
      if (member instanceof PaddingLayout) {
        continue;
      }
      MemoryLayout element =
          member instanceof SequenceLayout sequence ? sequence.elementLayout() : member;
      fields.add(
          new CHeader.CField(
              name(member),
              layout.byteOffset(PathElement.groupElement(name(member))),
              member.byteSize(),
              Math.toIntExact(element.byteSize())));
    }
    return fields;
  }

  private static String name(MemoryLayout layout) {
    return layout.name().orElseThrow();
  }

  private static String signature(FunctionDescriptor descriptor) {
    var letters = new StringBuilder();
    descriptor.argumentLayouts().forEach(argument -> letters.append(letter(argument)));
    return letters
        .append('>')
        .append(descriptor.returnLayout().map(HeaderTest::letter).orElse("v"))
        .toString();
  }

  private static String letter(MemoryLayout layout) {
    return switch (layout) {
      case AddressLayout _ -> "p";
      case ValueLayout.OfInt _ -> "i";
      case ValueLayout.OfLong _ -> "l";
      case ValueLayout.OfDouble _ -> "d";
      default -> throw new AssertionError("no letter for " + layout);
    };
  }

  private static String source() {
    try {
      return Files.readString(Shared.repository().resolve("native/include/motley.h"));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
