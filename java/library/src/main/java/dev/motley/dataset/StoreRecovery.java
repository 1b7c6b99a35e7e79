// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.files.FileFailure;
import dev.motley.files.FolderLock;
import dev.motley.files.Sha256;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Brings a folder, fresh or interrupted at any moment, into the state that its journal's good lines
 * describe, and opens it for writing. It only ever takes away what no line counts: a torn line,
 * bytes behind the last counted image, temporary files. Anything that an interruption cannot
 * explain is refused, and left for {@link SyntheticStore#verify} to describe.
 */
final class StoreRecovery {

  static final String TEMPORARY = ".tmp";

  private static final Pattern OWN_TEMPORARY =
      Pattern.compile("(?:dataset\\.json\\.tmp|\\d{6,}\\.tar\\.part)");

  private static final Pattern SHARD = Pattern.compile("\\d{6,}\\.tar");

  /** Where a writer goes on; the digest has been fed the part's counted bytes. */
  record State(int stored, long journalLength, long partLength, MessageDigest digest) {}

  private final Path folder;
  private final StoreHeader header;
  private final StoreFiles files;

  private StoreRecovery(Path folder, StoreHeader header, StoreFiles files) {
    this.folder = folder;
    this.header = header;
    this.files = files;
  }

  static StoreWriter open(Path folder, StoreHeader header, StoreFiles files) {
    try {
      requireOwnFolder(folder);
      Files.createDirectories(folder);
      FolderLock lock = FolderLock.take(folder);
      try {
        return new StoreRecovery(folder, header, files).open(lock);
      } catch (IOException | RuntimeException | Error e) {
        lock.close();
        throw e;
      }
    } catch (IOException e) {
      throw new ResourceException(
          "cannot open %s for writing: %s".formatted(folder, FileFailure.reason(e)), e);
    }
  }

  /** Refuses a folder with files of others before anything is made in it. */
  private static void requireOwnFolder(Path folder) throws IOException {
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw new InvalidInputException(folder + " is a file: expected a folder");
    }
    if (!Files.exists(folder) || Files.exists(folder.resolve(StoreHeader.FILE))) {
      return;
    }
    for (String name : names(folder)) {
      boolean begun = name.equals(StoreHeader.FILE + TEMPORARY) || name.equals(FolderLock.FILE);
      if (!begun) {
        throw new InvalidInputException(
            "folder %s holds '%s' and is no synthetic store: expected an empty or new folder"
                .formatted(folder, name));
      }
    }
  }

  static List<String> names(Path folder) throws IOException {
    try (Stream<Path> list = Files.list(folder)) {
      return list.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  private StoreWriter open(FolderLock lock) throws IOException {
    Path headerFile = folder.resolve(StoreHeader.FILE);
    if (Files.exists(headerFile)) {
      if (cameToNothing(folder)) {
        removeTemporaries(name -> true); // first: without a journal a begun shard may be of images that count
        files.syncFolder(folder);
        if (Files.exists(StoreJournal.file(folder))) {
          files.delete(StoreJournal.file(folder)); // before the header, as it may name another plan than the new one
        }
        writeHeader(headerFile);
      } else {
        header.requireSame(
            StoreHeader.read(headerFile.toString(), Files.readAllBytes(headerFile)), folder.toString());
      }
    } else {
      writeHeader(headerFile);
    }
    StoreJournal journal = StoreJournal.read(StoreJournal.file(folder));
    requireWhole(journal);
    StoreFile file = files.open(StoreJournal.file(folder));
    try {
      return goOn(lock, journal, file);
    } catch (IOException | RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  /** Whether a store was begun, but no image was ever counted in it: then it may become that of another plan. */
  static boolean cameToNothing(Path folder) throws IOException {
    StoreJournal journal = StoreJournal.read(StoreJournal.file(folder));
    return journal.slots().isEmpty()
        && !journal.beyond()
        && names(folder).stream()
            .noneMatch(
                name ->
                    SHARD.matcher(name).matches()
                        || (journal.head().isEmpty() && name.endsWith(StoreShard.PART)));
  }

  private void writeHeader(Path file) throws IOException {
    Path temporary = folder.resolve(StoreHeader.FILE + TEMPORARY);
    try (StoreFile out = files.open(temporary)) {
      byte[] json = header.toJson();
      out.truncate(0);
      out.write(ByteBuffer.wrap(json), 0);
      out.force();
    }
    files.rename(temporary, file);
    files.syncFolder(folder);
  }

  private void requireWhole(StoreJournal journal) throws IOException {
    if (journal.beyond()) {
      throw damaged("the journal has a damaged line at byte " + journal.length());
    }
    if (journal.head().isEmpty() && names(folder).stream().anyMatch(name -> SHARD.matcher(name).matches())) {
      throw damaged("the journal is empty or gone, but there are shards");
    }
    if (journal.head().isPresent() && !journal.head().get().equals(header.head())) {
      throw damaged(
          "the journal is that of plan %s and model %s"
              .formatted(
                  StoreHeader.shown(journal.head().get().planHash()),
                  StoreHeader.shown(journal.head().get().modelHash())));
    }
    for (StoreSlot slot : journal.slots()) {
      if (!header.expects(slot)) {
        throw damaged("the journal's image %d is not the plan's".formatted(slot.position()));
      }
    }
  }

  private InvalidInputException damaged(String what) {
    return new InvalidInputException(
        "folder %s is damaged: %s; 'verify' tells more, 'verify --repair' keeps what is whole"
            .formatted(folder, what));
  }

  private StoreWriter goOn(FolderLock lock, StoreJournal journal, StoreFile file)
      throws IOException {
    file.truncate(journal.length());
    long journalLength = journal.length();
    if (journal.head().isEmpty()) {
      byte[] head =
          StoreJournal.line(header.head()).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
      file.write(ByteBuffer.wrap(head), 0);
      journalLength = head.length;
    }
    file.force();
    int stored = journal.slots().size();
    int shard = journal.shards().size();
    // The shard that grows: the one after the last finished.
    List<StoreSlot> growing =
        journal.slots().subList(Math.min(stored, shard * header.imagesPerShard()), stored);
    boolean full = !growing.isEmpty() && stored == header.endOf(shard);
    if (full && !Files.exists(StoreShard.part(folder, shard))) {
      // Interrupted between the rename and its line in the journal: take the name back and go on.
      if (Files.exists(StoreShard.file(folder, shard))) {
        files.rename(StoreShard.file(folder, shard), StoreShard.part(folder, shard));
      } else if (length(growing) > 0) {
        throw damaged(StoreShard.fileName(shard) + " is missing");
      }
    }
    removeTemporaries(name -> !name.equals(StoreShard.fileName(shard) + StoreShard.PART));
    for (StoreShard finished : journal.shards()) {
      Path path = StoreShard.file(folder, finished.index());
      if (!Files.exists(path) || Files.size(path) != finished.length()) {
        throw damaged(
            "%s should have %,d bytes, found %s"
                .formatted(
                    path.getFileName(),
                    finished.length(),
                    Files.exists(path) ? String.format("%,d", Files.size(path)) : "no such file"));
      }
    }
    var state = new State(stored, journalLength, length(growing), digest(shard, growing));
    var writer = new StoreWriter(folder, header, files, lock, file, state);
    if (full) {
      writer.finishShard(shard);
    }
    return writer;
  }

  private static long length(List<StoreSlot> growing) {
    return growing.isEmpty() ? 0 : growing.getLast().end();
  }

  private void removeTemporaries(Predicate<String> which) throws IOException {
    for (String name : names(folder)) {
      if (OWN_TEMPORARY.matcher(name).matches() && which.test(name)) {
        files.delete(folder.resolve(name));
      }
    }
  }

  /** Cuts the growing shard behind its last counted image and reads that every image is whole. */
  private MessageDigest digest(int shard, List<StoreSlot> growing) throws IOException {
    MessageDigest digest = Sha256.begin();
    Path path = StoreShard.part(folder, shard);
    long length = length(growing);
    long found = Files.exists(path) ? Files.size(path) : 0;
    if (found < length) {
      throw damaged(
          "%s should have %,d bytes, found %,d".formatted(path.getFileName(), length, found));
    }
    if (found > length) {
      try (StoreFile part = files.open(path)) {
        part.truncate(length);
        part.force();
      }
    }
    if (length > 0) {
      try (InputStream in = new BufferedInputStream(Files.newInputStream(path), 1 << 20)) {
        for (StoreSlot slot : growing) {
          byte[] bytes = in.readNBytes((int) (slot.end() - slot.offset()));
          digest.update(bytes);
          if (slot instanceof StoreEntry entry && !problems(entry, bytes).isEmpty()) {
            throw damaged(
                "image '%s' in %s is not what was written"
                    .formatted(entry.key(), path.getFileName()));
          }
        }
      }
    }
    return digest;
  }

  /** What is wrong with an image's part of a shard, both headers and contents, in words. */
  static List<String> problems(StoreEntry entry, byte[] bytes) {
    var problems = new ArrayList<String>();
    if (bytes.length != entry.end() - entry.offset()) {
      return List.of("cut off");
    }
    check(problems, entry.key() + ".png", bytes, 0, entry.pngLength(), entry.pngCrc());
    int json = (int) (entry.jsonAt() - TarBlocks.BLOCK - entry.offset());
    check(problems, entry.key() + ".json", bytes, json, entry.jsonLength(), entry.jsonCrc());
    return problems;
  }

  private static void check(
      List<String> problems, String name, byte[] bytes, int at, int length, int crc) {
    byte[] expected = TarBlocks.header(name, length);
    if (!java.util.Arrays.equals(expected, 0, TarBlocks.BLOCK, bytes, at, at + TarBlocks.BLOCK)) {
      problems.add("the tar header of " + name + " is damaged");
    }
    var found = new java.util.zip.CRC32C();
    found.update(bytes, at + TarBlocks.BLOCK, length);
    if ((int) found.getValue() != crc) {
      problems.add(name + " has a wrong checksum");
    }
    int end = at + TarBlocks.BLOCK + (int) TarBlocks.padded(length);
    for (int i = at + TarBlocks.BLOCK + length; i < end; i++) {
      if (bytes[i] != 0) {
        problems.add("the fill behind " + name + " is damaged");
        return;
      }
    }
  }
}
