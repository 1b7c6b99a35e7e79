// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * A store's journal: what is in it, line by line, appended only and in plan order. An image counts
 * once its line is on disk, which happens after its bytes are. Each line ends with a space and the
 * CRC-32C of what stands before:
 *
 * <pre>{@code
 * motley-journal 1 PLAN-HASH MODEL-HASH CRC
 * image POSITION KEY SHARD OFFSET PNG-LENGTH JSON-LENGTH PNG-CRC JSON-CRC CRC
 * dropped POSITION KEY SHARD OFFSET ATTEMPTS CRC
 * shard INDEX IMAGES LENGTH SHA-256 CRC
 * }</pre>
 *
 * <p>A dropped image is one that was left out; ATTEMPTS is what its pictures' seeds and flaws were,
 * as JSON. IMAGES of a shard are those of the plan that it covers.
 *
 * <p>The lines depend on the images alone, not on how they were batched, so the finished journal is
 * the same after any number of interruptions.
 *
 * @param head the first line, or empty
 * @param slots the images, stored or left out, position i at index i
 * @param shards the finished shards
 * @param length bytes up to the end of the last good line
 * @param torn bytes behind it
 * @param beyond whether good lines follow the bad one, which no interrupted write leaves behind
 */
record StoreJournal(
    Optional<Head> head,
    List<StoreSlot> slots,
    List<StoreShard> shards,
    long length,
    long torn,
    boolean beyond) {

  static final String FILE = "journal";

  private static final String MAGIC = "motley-journal 1";

  /** Whose journal it is. */
  record Head(String planHash, String modelHash) {}

  static Path file(Path folder) {
    return folder.resolve(FILE);
  }

  static String line(Head head) {
    return sealed(MAGIC + " " + head.planHash() + " " + head.modelHash());
  }

  static String line(StoreSlot slot) {
    return switch (slot) {
      case StoreEntry entry -> line(entry);
      case StoreDrop drop -> line(drop);
    };
  }

  private static String line(StoreDrop drop) {
    return sealed(
        String.format(
            Locale.ROOT,
            "dropped %d %s %d %d %s",
            drop.position(),
            drop.key(),
            drop.shard(),
            drop.offset(),
            StoreRecord.word(drop.attempts())));
  }

  private static String line(StoreEntry entry) {
    return sealed(
        String.format(
            Locale.ROOT,
            "image %d %s %d %d %d %d %08x %08x",
            entry.position(),
            entry.key(),
            entry.shard(),
            entry.offset(),
            entry.pngLength(),
            entry.jsonLength(),
            entry.pngCrc(),
            entry.jsonCrc()));
  }

  static String line(StoreShard shard) {
    return sealed(
        String.format(
            Locale.ROOT,
            "shard %d %d %d %s",
            shard.index(),
            shard.images(),
            shard.length(),
            shard.sha256()));
  }

  private static String sealed(String text) {
    return text + String.format(Locale.ROOT, " %08x\n", crc(text));
  }

  private static int crc(String text) {
    return crc(text.getBytes(StandardCharsets.US_ASCII));
  }

  static int crc(byte[] bytes) {
    var crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  /**
   * Reads the good lines of a journal.
   *
   * @throws InvalidInputException if a line that was written whole contradicts those before it
   */
  static StoreJournal read(Path file) throws IOException {
    byte[] bytes = Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
    var reader = new Reader(file);
    int at = 0;
    while (at < bytes.length) {
      int end = endOfLine(bytes, at);
      Optional<String> text = end < 0 ? Optional.empty() : unsealed(bytes, at, end);
      if (text.isEmpty()) {
        break;
      }
      reader.accept(text.get());
      at = end + 1;
    }
    return new StoreJournal(
        reader.head,
        List.copyOf(reader.slots),
        List.copyOf(reader.shards),
        at,
        bytes.length - at,
        goodLineAfter(bytes, at));
  }

  private static boolean goodLineAfter(byte[] bytes, int bad) {
    int start = endOfLine(bytes, bad) + 1;
    while (start > 0 && start < bytes.length) {
      int end = endOfLine(bytes, start);
      if (end >= 0 && unsealed(bytes, start, end).isPresent()) {
        return true;
      }
      start = end + 1;
    }
    return false;
  }

  private static int endOfLine(byte[] bytes, int from) {
    for (int i = from; i < bytes.length; i++) {
      if (bytes[i] == '\n') {
        return i;
      }
    }
    return -1;
  }

  /** The text of a line whose checksum is right. */
  private static Optional<String> unsealed(byte[] bytes, int from, int to) {
    String line = new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
    int space = line.lastIndexOf(' ');
    if (space < 0 || line.length() - space != 9) {
      return Optional.empty();
    }
    String text = line.substring(0, space);
    boolean right = line.substring(space + 1).equals(String.format(Locale.ROOT, "%08x", crc(text)));
    return right ? Optional.of(text) : Optional.empty();
  }

  /** Puts lines together and checks that each continues what stands before it. */
  private static final class Reader {

    private final Path file;
    private Optional<Head> head = Optional.empty();
    private final List<StoreSlot> slots = new ArrayList<>();
    private final List<StoreShard> shards = new ArrayList<>();

    Reader(Path file) {
      this.file = file;
    }

    void accept(String text) {
      String[] words = text.split(" ");
      if (!fits(text, words)) {
        throw new InvalidInputException(
            "%s: the line '%s' does not continue the lines before it".formatted(file, text));
      }
    }

    private boolean fits(String text, String[] words) {
      try {
        return switch (words[0]) {
          case "motley-journal" -> acceptHead(text, words);
          case "image" -> words.length == 9 && head.isPresent() && acceptImage(words);
          case "dropped" -> words.length == 6 && head.isPresent() && acceptDrop(words);
          case "shard" -> words.length == 5 && head.isPresent() && acceptShard(words);
          default -> false;
        };
      } catch (NumberFormatException e) {
        return false;
      }
    }

    private boolean acceptHead(String text, String[] words) {
      if (!text.startsWith(MAGIC + " ")) {
        throw new InvalidInputException(
            "%s: written by another version ('%s'), expected '%s'".formatted(file, text, MAGIC));
      }
      boolean first = head.isEmpty() && words.length == 4;
      if (first) {
        head = Optional.of(new Head(words[2], words[3]));
      }
      return first;
    }

    private boolean acceptImage(String[] words) {
      return accept(
          new StoreEntry(
              Integer.parseInt(words[1]),
              words[2],
              Integer.parseInt(words[3]),
              Long.parseLong(words[4]),
              Integer.parseInt(words[5]),
              Integer.parseInt(words[6]),
              Integer.parseUnsignedInt(words[7], 16),
              Integer.parseUnsignedInt(words[8], 16)));
    }

    private boolean acceptDrop(String[] words) {
      byte[] attempts = words[5].getBytes(StandardCharsets.US_ASCII);
      return accept(
          new StoreDrop(
              Integer.parseInt(words[1]),
              words[2],
              Integer.parseInt(words[3]),
              Long.parseLong(words[4]),
              StoreRecord.attempts(StoreJson.read(file + ", image " + words[1], attempts))));
    }

    private boolean accept(StoreSlot slot) {
      long offset =
          slots.isEmpty() || slots.getLast().shard() < slot.shard() ? 0 : slots.getLast().end();
      slots.add(slot);
      return slot.position() == slots.size() - 1
          && slot.shard() == shards.size()
          && slot.offset() == offset;
    }

    private boolean acceptShard(String[] words) {
      var shard =
          new StoreShard(
              Integer.parseInt(words[1]),
              Integer.parseInt(words[2]),
              Long.parseLong(words[3]),
              words[4]);
      int images = slots.size() - shards.stream().mapToInt(StoreShard::images).sum();
      shards.add(shard);
      return shard.index() == shards.size() - 1
          && shard.images() == images
          && images > 0
          && shard.length() == slots.getLast().end() + TarBlocks.TRAILER;
    }
  }
}
