// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import java.nio.charset.StandardCharsets;

/**
 * The few parts of the ustar format (POSIX.1-1988) that a store needs: regular files with short
 * ASCII names, owner 0 and time 0, so that equal contents give equal bytes.
 */
final class TarBlocks {

  static final int BLOCK = 512;

  /** The two zero blocks that end an archive. */
  static final int TRAILER = 2 * BLOCK;

  /** The longest name that fits the header's own field. */
  static final int LONGEST_NAME = 100;

  private static final int CHECKSUM_AT = 148;
  private static final int CHECKSUM_DIGITS = 6;

  private TarBlocks() {}

  /** The length of a file's contents with the zeros that fill its last block. */
  static long padded(long length) {
    return (length + BLOCK - 1) / BLOCK * BLOCK;
  }

  /** The header of a regular file. */
  static byte[] header(String name, long size) {
    var block = new byte[BLOCK];
    text(block, 0, name);
    octal(block, 100, 7, 0644); // mode
    octal(block, 108, 7, 0); // user
    octal(block, 116, 7, 0); // group
    octal(block, 124, 11, size);
    octal(block, 136, 11, 0); // time
    block[156] = '0'; // a regular file
    text(block, 257, "ustar\0" + "00");
    octal(block, 329, 7, 0); // device
    octal(block, 337, 7, 0);
    // The checksum is summed with its own field read as spaces.
    java.util.Arrays.fill(block, CHECKSUM_AT, CHECKSUM_AT + 8, (byte) ' ');
    int sum = 0;
    for (byte b : block) {
      sum += b & 0xff;
    }
    octal(block, CHECKSUM_AT, CHECKSUM_DIGITS, sum);
    block[CHECKSUM_AT + CHECKSUM_DIGITS] = 0;
    return block;
  }

  private static void text(byte[] block, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, block, at, bytes.length);
  }

  private static void octal(byte[] block, int at, int digits, long value) {
    String octal = Long.toOctalString(value);
    if (octal.length() > digits) {
      throw new IllegalArgumentException(value + " does not fit " + digits + " octal digits");
    }
    text(block, at, "0".repeat(digits - octal.length()) + octal);
  }
}
