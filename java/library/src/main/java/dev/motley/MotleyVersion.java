// SPDX-License-Identifier: Apache-2.0
package dev.motley;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/** The version of this library, as its build stamped it. */
public final class MotleyVersion {

  private static final String VERSION = read();

  private MotleyVersion() {}

  /**
   * Returns the version, for example {@code 0.1.0-SNAPSHOT}.
   *
   * @return the Maven version of this library
   */
  public static String current() {
    return VERSION;
  }

  private static String read() {
    try (InputStream in = MotleyVersion.class.getResourceAsStream("version.properties")) {
      if (in == null) {
        throw new MotleyException(
            "dev/motley/version.properties is missing from the library: its build is incomplete");
      }
      var properties = new Properties();
      properties.load(in);
      return properties.getProperty("version");
    } catch (IOException e) {
      throw new MotleyException("cannot read dev/motley/version.properties: " + e.getMessage(), e);
    }
  }
}
