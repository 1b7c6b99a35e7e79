// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Several seeds: so many from the first on, or those of a list.
 *
 * @param count how many; 0 where they are listed
 * @param listed the list
 */
record Seeds(int count, List<Long> listed) {
  private static final int MOST = 100;

  /** The seeds themselves. */
  List<Long> from(Optional<Long> first) {
    long start = first.orElse(0L);
    return listed.isEmpty() ? LongStream.range(start, start + count).boxed().toList() : listed;
  }

  /** {@code 3} is a number of seeds, {@code 0,1,2} a list. */
  static final class Converter implements ITypeConverter<Seeds> {
    @Override
    public Seeds convert(String text) {
      try {
        if (!text.contains(",")) {
          int count = Integer.parseInt(text);
          if (count >= 1 && count <= MOST) {
            return new Seeds(count, List.of());
          }
        } else {
          var listed = new LinkedHashSet<Long>();
          for (String one : text.split(",")) {
            if (!listed.add(Long.parseLong(one.strip()))) {
              throw new TypeConversionException("seed " + one.strip() + " is listed twice");
            }
          }
          if (listed.size() <= MOST) {
            return new Seeds(0, List.copyOf(listed));
          }
        }
      } catch (NumberFormatException e) {
        // the same message serves
      }
      throw new TypeConversionException(
          "expected a number of seeds from 1 to " + MOST + ", or a list such as 0,1,2, got '" + text + "'");
    }
  }
}
