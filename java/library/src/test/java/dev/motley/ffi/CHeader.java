// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A reader of the C that {@code motley.h} is written in: constants, structs of plain fields and
 * arrays, and exported functions, none of which throws. Anything else in a declaration is an error, not skipped.
 */
final class CHeader {

  private static final int POINTER = 8;
  private static final Map<String, Integer> SIZES =
      Map.of(
          "int32_t",
          4,
          "motley_status",
          4,
          "int64_t",
          8,
          "uint64_t",
          8,
          "float",
          4,
          "double",
          8,
          "char",
          1,
          "uint8_t",
          1,
          "motley_progress_fn",
          POINTER);

  private final Map<String, Integer> constants = new LinkedHashMap<>();
  private final Map<String, CStruct> structs = new LinkedHashMap<>();
  private final Map<String, String> functions = new LinkedHashMap<>();

  /** A field: where it starts, its size with all of its elements, and that of one element. */
  record CField(String name, long offset, long size, int elementSize) {}

  /** A struct as the C compiler lays it out. */
  record CStruct(String name, List<CField> fields, long size, int alignment) {}

  private CHeader() {}

  static CHeader parse(String source) {
    var header = new CHeader();
    String code = source.replaceAll("(?s)/\\*.*?\\*/", " ");
    header.parseConstants(code);
    header.parseStructs(code);
    header.parseFunctions(code);
    return header;
  }

  Map<String, Integer> constants() {
    return constants;
  }

  Map<String, CStruct> structs() {
    return structs;
  }

  /**
   * Signatures in the letters of {@link Header}: p, i, l, d for arguments, then > and the result.
   */
  Map<String, String> functions() {
    return functions;
  }

  private void parseConstants(String code) {
    Matcher define = Pattern.compile("(?m)^#define (MOTLEY_\\w+) (\\d+)\\s*$").matcher(code);
    while (define.find()) {
      constants.put(define.group(1), Integer.parseInt(define.group(2)));
    }
  }

  private void parseStructs(String code) {
    Matcher struct = Pattern.compile("(?s)typedef struct (\\w+) \\{(.*?)\\} (\\w+);").matcher(code);
    while (struct.find()) {
      if (!struct.group(1).equals(struct.group(3))) {
        throw new AssertionError("struct " + struct.group(1) + " is called " + struct.group(3));
      }
      structs.put(struct.group(1), layOut(struct.group(1), struct.group(2)));
    }
  }

  private CStruct layOut(String name, String body) {
    var fields = new ArrayList<CField>();
    long offset = 0;
    int alignment = 1;
    for (String declaration : body.trim().split("\\s*;\\s*")) {
      Matcher typed =
          Pattern.compile("(?s)(?:const )?(\\w+)(\\s*\\*)?\\s*(.*)").matcher(declaration);
      if (!typed.matches()) {
        throw new AssertionError("cannot read field '" + declaration + "' of " + name);
      }
      boolean pointer = typed.group(2) != null;
      int size = pointer ? POINTER : sizeOf(typed.group(1));
      int align = pointer ? POINTER : alignmentOf(typed.group(1));
      for (String declarator : typed.group(3).trim().split("\\s*,\\s*")) {
        Matcher array = Pattern.compile("(\\w+)(?:\\[(\\w+)\\])?").matcher(declarator);
        if (!array.matches()) {
          throw new AssertionError("cannot read field '" + declarator + "' of " + name);
        }
        long count = array.group(2) == null ? 1 : value(array.group(2));
        offset = (offset + align - 1) / align * align;
        fields.add(new CField(array.group(1), offset, size * count, size));
        offset += size * count;
        alignment = Math.max(alignment, align);
      }
    }
    long padded = (offset + alignment - 1) / alignment * alignment;
    return new CStruct(name, fields, padded, alignment);
  }

  private int sizeOf(String type) {
    return structs.containsKey(type)
        ? Math.toIntExact(structs.get(type).size())
        : known(SIZES, type);
  }

  private int alignmentOf(String type) {
    return structs.containsKey(type) ? structs.get(type).alignment() : known(SIZES, type);
  }

  private int value(String text) {
    return Character.isDigit(text.charAt(0)) ? Integer.parseInt(text) : known(constants, text);
  }

  private static int known(Map<String, Integer> table, String name) {
    Integer value = table.get(name);
    if (value == null) {
      throw new AssertionError("unknown name " + name + " in motley.h");
    }
    return value;
  }

  private void parseFunctions(String code) {
    Matcher function = Pattern.compile("(?s)MOTLEY_EXPORT (\\w+) (\\w+)\\((.*?)\\) MOTLEY_NOEXCEPT;").matcher(code);
    while (function.find()) {
      String result = function.group(1).equals("void") ? "v" : letter(function.group(1));
      var signature = new StringBuilder();
      String parameters = function.group(3).trim();
      if (!parameters.equals("void")) {
        for (String parameter : parameters.split("\\s*,\\s*")) {
          signature.append(parameterLetter(parameter));
        }
      }
      functions.put(function.group(2), signature + ">" + result);
    }
    long exports = Pattern.compile("(?m)^MOTLEY_EXPORT").matcher(code).results().count();
    if (exports != functions.size()) {
      throw new AssertionError(exports + " exports, but " + functions.size() + " were read");
    }
  }

  private static String parameterLetter(String parameter) {
    if (parameter.contains("*") || parameter.startsWith("motley_progress_fn ")) {
      return "p";
    }
    return letter(parameter.replaceFirst("^const ", "").split("\\s+")[0]);
  }

  private static String letter(String type) {
    return switch (type) {
      case "int32_t", "motley_status" -> "i";
      case "int64_t", "uint64_t" -> "l";
      case "double" -> "d";
      default -> throw new AssertionError("no letter for type " + type);
    };
  }
}
