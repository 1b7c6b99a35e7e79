// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.files.FileFailure;
import dev.motley.files.FolderLock;
import dev.motley.files.Sha256;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Reads every byte of a store and says what is wrong; on request keeps what is whole. */
final class StoreCheck {

  private static final byte[] PNG_SIGNATURE = HexFormat.of().parseHex("89504e470d0a1a0a");

  private final Path folder;
  private final StoreHeader header;
  private final StoreJournal journal;
  private final List<String> problems = new ArrayList<>();

  /** The first image that is not whole: all before it can be kept. */
  private int firstBad;

  private long bytes;

  private final SafetySummary.Tally safety;

  private StoreCheck(Path folder, StoreHeader header, StoreJournal journal) {
    this.folder = folder;
    this.header = header;
    this.journal = journal;
    this.firstBad = journal.slots().size();
    this.safety = new SafetySummary.Tally(header);
  }

  static StoreReport verify(Path folder) {
    SyntheticStore.header(folder);
    try (Closeable _ = lockIfWritable(folder)) {
      return run(folder).report(List.of());
    } catch (IOException e) {
      throw unreadable(folder, e);
    }
  }

  /** A store that is being written is in no state to be judged; one on a read-only disk is. */
  private static Closeable lockIfWritable(Path folder) {
    try {
      return FolderLock.take(folder)::close;
    } catch (ResourceException e) {
      return () -> {};
    }
  }

  private static ResourceException unreadable(Path folder, IOException e) {
    return new ResourceException(
        "cannot read all of %s: %s".formatted(folder, FileFailure.reason(e)), e);
  }

  private static StoreCheck run(Path folder) throws IOException {
    StoreHeader header = SyntheticStore.header(folder);
    var check = new StoreCheck(folder, header, StoreJournal.read(StoreJournal.file(folder)));
    check.checkJournal();
    check.checkShards();
    check.checkNames();
    return check;
  }

  private StoreReport report(List<String> repairs) {
    int dropped =
        (int) journal.slots().subList(0, firstBad).stream().filter(StoreDrop.class::isInstance).count();
    return new StoreReport(
        folder.toString(),
        header.plan().size(),
        firstBad - dropped,
        dropped,
        bytes,
        problems,
        repairs,
        safety.summary());
  }

  private void problem(String format, Object... values) {
    problems.add(String.format(Locale.ROOT, format, values));
  }

  private void checkJournal() {
    if (journal.torn() > 0) {
      problem(
          "%s: %,d bytes from byte %,d on are %s",
          StoreJournal.FILE,
          journal.torn(),
          journal.length(),
          journal.beyond() ? "damaged; good lines follow" : "a torn line");
    }
    if (journal.head().isEmpty()) {
      problem("%s: has no first line", StoreJournal.FILE);
    } else if (!journal.head().get().equals(header.head())) {
      problem(
          "%s: is that of plan %s and model %s, expected %s and %s",
          StoreJournal.FILE,
          StoreHeader.shown(journal.head().get().planHash()),
          StoreHeader.shown(journal.head().get().modelHash()),
          StoreHeader.shown(header.head().planHash()),
          StoreHeader.shown(header.head().modelHash()));
      firstBad = 0;
    }
    for (StoreSlot slot : journal.slots()) {
      int i = slot.position();
      if (!header.expects(slot)) {
        String planned = i < header.plan().size() ? header.plan().image(i).key() : "nothing";
        problem(
            "%s: image %d is '%s' %s shard %d, the plan has '%s' in shard %d",
            StoreJournal.FILE,
            i,
            slot.key(),
            slot instanceof StoreDrop ? "left out of" : "in",
            slot.shard(),
            planned,
            header.shardOf(i));
        firstBad = Math.min(firstBad, i);
        return;
      }
    }
  }

  private void checkShards() throws IOException {
    int from = 0;
    for (StoreShard shard : journal.shards()) {
      int to = from + shard.images();
      checkShard(StoreShard.file(folder, shard.index()), from, to, shard.length());
      Path file = StoreShard.file(folder, shard.index());
      if (Files.exists(file) && !Sha256.of(file).equals(shard.sha256())) {
        problem("%s: SHA-256 is not the journal's %s", file.getFileName(), shard.sha256());
        if (firstBad >= to) {
          // Every image is whole, so the damage lies in what fills or ends the archive.
          firstBad = Math.min(firstBad, to - 1);
        }
      }
      from = to;
    }
    int to = journal.slots().size();
    if (from < to) {
      int index = journal.shards().size();
      Path part = StoreShard.part(folder, index);
      // Between the rename and its line in the journal the growing shard has its final name.
      Path file = Files.exists(part) ? part : StoreShard.file(folder, index);
      long length = journal.slots().getLast().end();
      checkShard(file, from, to, Files.exists(file) ? Files.size(file) : length);
      if (Files.exists(file) && file.equals(part) && Files.size(part) > length) {
        problem(
            "%s: %,d bytes behind the last counted image",
            part.getFileName(), Files.size(part) - length);
      }
    }
  }

  private void checkShard(Path file, int from, int to, long length) throws IOException {
    if (!Files.exists(file) && length > 0) {
      problem("%s: is missing, with images %d to %d", file.getFileName(), from, to - 1);
      firstBad = Math.min(firstBad, from);
      return;
    }
    long found = Files.exists(file) ? Files.size(file) : 0; // none is there before the first image
    bytes += found;
    if (found != length) {
      problem("%s: has %,d bytes, expected %,d", file.getFileName(), found, length);
    }
    try (InputStream in = found == 0 ? InputStream.nullInputStream() : buffered(file)) {
      for (StoreSlot slot : journal.slots().subList(from, to)) {
        switch (slot) {
          case StoreDrop drop -> count(drop);
          case StoreEntry entry -> checkImage(file, entry, in.readNBytes((int) (entry.end() - entry.offset())));
        }
      }
    }
  }

  private static InputStream buffered(Path file) throws IOException {
    return new BufferedInputStream(Files.newInputStream(file), 1 << 20);
  }

  private void count(StoreDrop drop) {
    if (drop.position() < firstBad) {
      safety.add(drop);
    }
  }

  private void checkImage(Path file, StoreEntry entry, byte[] image) {
    List<String> wrong = StoreRecovery.problems(entry, image);
    if (wrong.isEmpty()) {
      wrong = contents(entry, image);
    }
    if (!wrong.isEmpty()) {
      problem(
          "%s: image %d '%s': %s",
          file.getFileName(), entry.position(), entry.key(), String.join(", ", wrong));
      firstBad = Math.min(firstBad, entry.position());
    }
  }

  /** Whether the checksummed contents are what they should be, which a checksum cannot tell. */
  private List<String> contents(StoreEntry entry, byte[] image) {
    int png = TarBlocks.BLOCK;
    if (entry.pngLength() < PNG_SIGNATURE.length
        || !java.util.Arrays.equals(
            PNG_SIGNATURE, 0, PNG_SIGNATURE.length, image, png, png + PNG_SIGNATURE.length)) {
      return List.of(entry.key() + ".png is no PNG");
    }
    int json = (int) (entry.jsonAt() - entry.offset());
    try {
      byte[] text = java.util.Arrays.copyOfRange(image, json, json + entry.jsonLength());
      Map<String, Object> record = StoreJson.read(entry.key() + ".json", text);
      if (!entry.key().equals(record.get("key"))) {
        return List.of(entry.key() + ".json is that of '" + record.get("key") + "'");
      }
      if (entry.position() < firstBad) {
        safety.add(entry, record);
      }
      return List.of();
    } catch (InvalidInputException e) {
      return List.of(e.getMessage());
    }
  }

  private void checkNames() throws IOException {
    var expected = new ArrayList<>(List.of(StoreHeader.FILE, StoreJournal.FILE, FolderLock.FILE));
    for (int i = 0; i < journal.shards().size(); i++) {
      expected.add(StoreShard.fileName(i));
    }
    expected.add(StoreShard.fileName(journal.shards().size()) + StoreShard.PART);
    if (journal.slots().size() == header.endOf(journal.shards().size())) {
      expected.add(StoreShard.fileName(journal.shards().size()));
    }
    for (String name : StoreRecovery.names(folder)) {
      if (!Set.copyOf(expected).contains(name)) {
        problem("%s: does not belong here", name);
      }
    }
  }

  /**
   * Cuts the store before the first image that is not whole, and removes orphaned shards and
   * temporary files. Never touches a file that no store makes.
   */
  static StoreReport repair(Path folder) {
    try {
      SyntheticStore.header(folder);
      try (FolderLock _ = FolderLock.take(folder)) {
        StoreCheck check = run(folder);
        return check.problems.isEmpty() ? check.report(List.of()) : check.repair();
      }
    } catch (IOException e) {
      throw unreadable(folder, e);
    }
  }

  private StoreReport repair() throws IOException {
    var repairs = new ArrayList<String>();
    int kept = firstBad;
    int lost = journal.slots().size() - kept;
    // Shards up to here stay finished; the one after is cut and grows again.
    int finished = 0;
    int before = 0;
    while (finished < journal.shards().size()
        && before + journal.shards().get(finished).images() <= kept) {
      before += journal.shards().get(finished).images();
      finished++;
    }
    writeJournal(kept, finished);
    if (journal.beyond() || journal.head().isEmpty()) { // how many, only the lost lines knew
      repairs.add(
          String.format(
              Locale.ROOT, "journal cut to %,d images, all after them will be drawn again", kept));
    } else if (journal.torn() > 0 || lost > 0) {
      repairs.add(
          String.format(
              Locale.ROOT, "journal cut to %,d images, %,d will be drawn again", kept, lost));
    }
    cutGrowing(kept, before, finished, repairs);
    removeOrphans(finished, repairs);
    StoreCheck after = run(folder);
    after.problems.removeIf(p -> p.endsWith(": does not belong here"));
    return after.report(repairs);
  }

  private void writeJournal(int kept, int finished) throws IOException {
    var lines = new StringBuilder(StoreJournal.line(header.head()));
    int shard = 0;
    for (StoreSlot slot : journal.slots().subList(0, kept)) {
      if (slot.shard() > shard) {
        lines.append(StoreJournal.line(journal.shards().get(shard++)));
      }
      lines.append(StoreJournal.line(slot));
    }
    if (shard < finished) {
      lines.append(StoreJournal.line(journal.shards().get(shard)));
    }
    Path temporary = folder.resolve(StoreJournal.FILE + StoreRecovery.TEMPORARY);
    try (StoreFile out = StoreFiles.REAL.open(temporary)) {
      out.truncate(0);
      out.write(java.nio.ByteBuffer.wrap(lines.toString().getBytes(StandardCharsets.US_ASCII)), 0);
      out.force();
    }
    StoreFiles.REAL.rename(temporary, StoreJournal.file(folder));
    StoreFiles.REAL.syncFolder(folder);
  }

  private void cutGrowing(int kept, int before, int finished, List<String> repairs)
      throws IOException {
    Path part = StoreShard.part(folder, finished);
    Path file = StoreShard.file(folder, finished);
    if (Files.exists(file)) {
      StoreFiles.REAL.rename(file, part);
    }
    long length = kept > before ? journal.slots().get(kept - 1).end() : 0;
    if (Files.exists(part) && Files.size(part) > length) {
      repairs.add(
          String.format(
              Locale.ROOT,
              "%s cut from %,d to %,d bytes",
              part.getFileName(),
              Files.size(part),
              length));
      try (StoreFile out = StoreFiles.REAL.open(part)) {
        out.truncate(length);
        out.force();
      }
    }
  }

  private void removeOrphans(int growing, List<String> repairs) throws IOException {
    for (String name : StoreRecovery.names(folder)) {
      boolean temporary =
          name.equals(StoreHeader.FILE + StoreRecovery.TEMPORARY)
              || name.equals(StoreJournal.FILE + StoreRecovery.TEMPORARY);
      boolean orphan =
          name.matches("\\d{6,10}\\.tar(\\.part)?")
              && Long.parseLong(name.substring(0, name.indexOf('.'))) > growing;
      boolean empty =
          name.equals(StoreShard.fileName(growing) + StoreShard.PART)
              && Files.size(folder.resolve(name)) == 0;
      if (temporary || orphan || empty) {
        StoreFiles.REAL.delete(folder.resolve(name));
        repairs.add(name + " removed");
      }
    }
    StoreFiles.REAL.syncFolder(folder);
  }
}
