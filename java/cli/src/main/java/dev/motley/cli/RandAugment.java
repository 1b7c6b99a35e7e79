// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * The option {@code --randaugment N,M}.
 *
 * @param ops operations on each image
 * @param magnitude of them
 */
record RandAugment(int ops, int magnitude) {
  private static final Pattern FORM = Pattern.compile("(\\d{1,4}),(\\d{1,4})");

  /** Reads {@code 2,9}. */
  static final class Converter implements ITypeConverter<RandAugment> {
    @Override
    public RandAugment convert(String text) {
      Matcher form = FORM.matcher(text);
      if (!form.matches()) {
        throw new TypeConversionException("expected operations and magnitude, such as 2,9, got '" + text + "'");
      }
      return new RandAugment(Integer.parseInt(form.group(1)), Integer.parseInt(form.group(2)));
    }
  }
}
