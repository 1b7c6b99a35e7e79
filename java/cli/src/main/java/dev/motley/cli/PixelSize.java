// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Width and height of a picture, such as {@code 512x768}. */
record PixelSize(int width, int height) {

  @Override
  public String toString() {
    return width + "x" + height;
  }

  /** Of an option. */
  static final class Converter implements ITypeConverter<PixelSize> {
    private static final Pattern FORM = Pattern.compile("([1-9]\\d{0,5})x([1-9]\\d{0,5})");

    @Override
    public PixelSize convert(String text) {
      Matcher form = FORM.matcher(text);
      if (!form.matches()) {
        throw new TypeConversionException("expected width x height in pixels, such as 512x768, got '" + text + "'");
      }
      return new PixelSize(Integer.parseInt(form.group(1)), Integer.parseInt(form.group(2)));
    }
  }
}
