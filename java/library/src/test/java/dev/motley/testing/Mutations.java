// SPDX-License-Identifier: Apache-2.0
package dev.motley.testing;

import com.sun.management.ThreadMXBean;
import dev.motley.MotleyException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;

/**
 * Feeds a reader what damaged or hostile files hold: seeded mutations of a valid one. Whatever the bytes, a reader returns or
 * throws one of Motley's own exceptions with a message of one line, quickly and within bounds of memory.
 */
public final class Mutations {
  private static final double LONGEST_SECONDS = 5;

  /** Numbers at which lengths, offsets and signs go wrong. */
  private static final int[] INTERESTING = {
    0, 1, -1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, Integer.MAX_VALUE, Integer.MIN_VALUE, 1 << 24
  };

  private static final byte[] SYNTAX = "{}[]\",:-0123456789.eE\\ \n\t#&*!|>%@`'~".getBytes();

  private Mutations() {}

  /** Reads bytes that may be anything. */
  @FunctionalInterface
  public interface Reader {
    /** Reads them. */
    void read(byte[] bytes) throws IOException;
  }

  /**
   * Tries a reader.
   *
   * @param valid what it can read
   * @param rounds mutations to try
   * @param mostBytes heap it may allocate for one of them, on the calling thread
   * @throws AssertionError with the bytes of the first that is not handled
   */
  public static void check(byte[] valid, int rounds, long mostBytes, Reader reader) {
    try {
      reader.read(valid.clone());
    } catch (IOException | RuntimeException e) {
      throw new AssertionError("the valid bytes are refused", e);
    }
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (int round = 0; round < rounds; round++) {
      byte[] bytes = mutate(valid, new Random(round));
      long allocated = threads.getCurrentThreadAllocatedBytes();
      long start = System.nanoTime();
      try {
        reader.read(bytes);
      } catch (MotleyException e) {
        requireOneLine(round, bytes, e);
      } catch (IOException | RuntimeException | Error e) {
        throw failure(round, bytes, "this left the reader: " + e, e);
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      allocated = threads.getCurrentThreadAllocatedBytes() - allocated;
      if (seconds > LONGEST_SECONDS || allocated > mostBytes) {
        throw failure(round, bytes, "took %.1f s and %,d bytes".formatted(seconds, allocated), null);
      }
    }
  }

  private static void requireOneLine(int round, byte[] bytes, MotleyException e) {
    String message = e.getMessage();
    if (message == null || message.isBlank() || message.lines().count() != 1) {
      throw failure(round, bytes, "is no message of one line: " + message, e);
    }
  }

  private static AssertionError failure(int round, byte[] bytes, String what, Throwable cause) {
    byte[] shown = Arrays.copyOf(bytes, Math.min(bytes.length, 4096));
    return new AssertionError(
        "round %d, %d bytes: %s%n%s".formatted(round, bytes.length, what, HexFormat.of().formatHex(shown)), cause);
  }

  /** One to four changes. */
  public static byte[] mutate(byte[] valid, Random random) {
    byte[] bytes = valid.clone();
    for (int i = 1 + random.nextInt(4); i > 0; i--) {
      bytes = change(bytes, random);
    }
    return bytes;
  }

  private static byte[] change(byte[] bytes, Random random) {
    if (bytes.length == 0) {
      return new byte[] {(byte) random.nextInt()};
    }
    // Half of them near the start, where headers are.
    int at = random.nextInt(random.nextBoolean() ? bytes.length : Math.min(bytes.length, 64));
    int length = Math.min(1 + random.nextInt(16), bytes.length - at);
    switch (random.nextInt(8)) {
      case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> bytes[at] = (byte) random.nextInt();
      case 2 -> bytes[at] = SYNTAX[random.nextInt(SYNTAX.length)];
      case 3 -> putNumber(bytes, at, random);
      case 4 -> {
        return Arrays.copyOf(bytes, at);
      }
      case 5 -> {
        return splice(bytes, at, at + length, new byte[0]);
      }
      case 6 -> {
        int from = random.nextInt(bytes.length);
        int to = Math.min(bytes.length, from + 1 + random.nextInt(64));
        return splice(bytes, at, at, Arrays.copyOfRange(bytes, from, to));
      }
      default -> {
        byte[] more = new byte[1 + random.nextInt(32)];
        random.nextBytes(more);
        return splice(bytes, at, at, more);
      }
    }
    return bytes;
  }

  private static void putNumber(byte[] bytes, int at, Random random) {
    int value = INTERESTING[random.nextInt(INTERESTING.length)];
    boolean bigEndian = random.nextBoolean();
    for (int i = 0; i < 4 && at + i < bytes.length; i++) {
      bytes[at + i] = (byte) (value >> 8 * (bigEndian ? 3 - i : i));
    }
  }

  private static byte[] splice(byte[] bytes, int from, int to, byte[] with) {
    byte[] out = new byte[bytes.length - (to - from) + with.length];
    System.arraycopy(bytes, 0, out, 0, from);
    System.arraycopy(with, 0, out, from, with.length);
    System.arraycopy(bytes, to, out, from + with.length, bytes.length - to);
    return out;
  }
}
