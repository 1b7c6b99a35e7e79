// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.MotleyException;
import dev.motley.ResourceException;
import dev.motley.files.FileFailure;
import dev.motley.files.FolderLock;
import dev.motley.files.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Writes the images of a plan into a synthetic store. Images may come out of order; they are
 * written in plan order, up to the first that is missing, at each {@link #commit}. What a commit
 * has returned for survives any crash; an interrupted store, opened again by {@link
 * SyntheticStore#create}, goes on at {@link #nextPosition}, and ends with the same bytes as one
 * that was never interrupted.
 *
 * <p>Thread rules: every method may be called by any thread; they exclude each other. A commit
 * holds the others up while it writes, so let one thread commit and hand it what is drawn.
 */
public final class StoreWriter implements AutoCloseable {

  /** How far ahead of the first missing image another may come, which bounds the memory held. */
  public static final int WINDOW = 8192;

  /** What was handed over for an image. */
  private sealed interface Waiting {
    record Image(byte[] png, byte[] json) implements Waiting {}

    record Drop(List<Attempt> attempts) implements Waiting {}
  }

  private final Path folder;
  private final StoreHeader header;
  private final StoreFiles files;
  private final FolderLock lock;
  private final NavigableMap<Integer, Waiting> waiting = new TreeMap<>();
  private final StoreFile journal;
  private long journalLength;
  private int stored;

  /** The shard that grows; open from its first image of this run on. */
  private @Nullable StoreFile part;

  private long partLength;
  private final MessageDigest digest;
  private boolean broken;
  private boolean closed;

  /** A writer that goes on where a recovery ended. */
  StoreWriter(
      Path folder,
      StoreHeader header,
      StoreFiles files,
      FolderLock lock,
      StoreFile journal,
      StoreRecovery.State state) {
    this.folder = folder;
    this.header = header;
    this.files = files;
    this.lock = lock;
    this.journal = journal;
    this.journalLength = state.journalLength();
    this.stored = state.stored();
    this.partLength = state.partLength();
    this.digest = state.digest();
  }

  /**
   * Returns where to go on: every image before it is safe on disk.
   *
   * @return a position in the plan; the plan's size once the store is complete
   */
  public synchronized int nextPosition() {
    return stored;
  }

  /**
   * Says whether every image of the plan is stored.
   *
   * @return true when there is nothing left to draw
   */
  public synchronized boolean isComplete() {
    return stored == header.plan().size();
  }

  /**
   * Hands over one image. It is written by the next {@link #commit} that has all images before it.
   *
   * @param position its index in the plan
   * @param key its key in the plan
   * @param png the encoded image
   * @param json what is known of it, one JSON object in UTF-8; see {@link StoreRecord}
   * @throws InvalidInputException if the key is not the plan's at that position
   * @throws IllegalStateException if that position is stored or waiting already, or lies {@link
   *     #WINDOW} or more ahead of the first missing image
   */
  public synchronized void append(int position, String key, byte[] png, byte[] json) {
    if (png.length == 0 || json.length == 0) {
      throw new InvalidInputException("image '" + key + "' comes without PNG or JSON bytes");
    }
    accept(position, key, new Waiting.Image(png, json));
  }

  /**
   * Notes that an image is left out, instead of {@link #append}.
   *
   * @param position its index in the plan
   * @param key its key in the plan
   * @param attempts every picture that was drawn for it; the last is why it is left out
   * @throws InvalidInputException if the key is not the plan's at that position, or the store's policy is not to drop
   * @throws IllegalStateException as {@link #append}
   */
  public synchronized void drop(int position, String key, List<Attempt> attempts) {
    if (header.safety() != SafetyPolicy.DROP) {
      throw new InvalidInputException(
          "image '%s' cannot be left out: the safety policy is '%s'".formatted(key, header.safety().id()));
    }
    accept(position, key, new Waiting.Drop(List.copyOf(attempts)));
  }

  private void accept(int position, String key, Waiting image) {
    requireOpen();
    if (position < 0 || position >= header.plan().size()) {
      throw new InvalidInputException(
          "position %d is not in the plan's %d images".formatted(position, header.plan().size()));
    }
    String planned = header.plan().image(position).key();
    if (!planned.equals(key)) {
      throw new InvalidInputException(
          "image %d of the plan is '%s', found '%s'".formatted(position, planned, key));
    }
    if (position >= stored + (long) WINDOW) {
      throw new IllegalStateException(
          "image %d is too far ahead: image %d has not come yet".formatted(position, stored));
    }
    if (position < stored || waiting.putIfAbsent(position, image) != null) {
      throw new IllegalStateException("image " + position + " has been handed over before");
    }
  }

  /**
   * Makes all images that are complete up to the first missing one safe on disk.
   *
   * @return {@link #nextPosition} after it
   * @throws CancelledException if the thread is interrupted; then as after a full disk
   * @throws ResourceException if the disk is full or fails; then nothing half-written counts, and
   *     this writer takes no more
   */
  public synchronized int commit() {
    requireOpen();
    try {
      while (waiting.containsKey(stored)) {
        commitWithinShard();
      }
    } catch (IOException e) {
      throw broken(e);
    }
    return stored;
  }

  /** Bytes first, then the journal, each synced: a line in the journal is a promise kept. */
  private void commitWithinShard() throws IOException {
    int shard = header.shardOf(stored);
    int end = header.endOf(shard);
    StoreFile file = openPart(shard);
    var lines = new StringBuilder();
    int position = stored;
    long length = partLength;
    for (; position < end && waiting.containsKey(position); position++) {
      StoreSlot slot = write(file, position, shard, length, waiting.get(position));
      length = slot.end();
      lines.append(StoreJournal.line(slot));
    }
    file.force();
    appendToJournal(lines.toString());
    waiting.headMap(position, false).clear();
    stored = position;
    partLength = length;
    if (stored == end) {
      finishShard(shard);
    }
  }

  private StoreSlot write(StoreFile file, int position, int shard, long offset, Waiting waiting)
      throws IOException {
    String key = header.plan().image(position).key();
    switch (waiting) {
      case Waiting.Drop drop -> {
        return new StoreDrop(position, key, shard, offset, drop.attempts);
      }
      case Waiting.Image image -> {
        var entry =
            new StoreEntry(
                position,
                key,
                shard,
                offset,
                image.png.length,
                image.json.length,
                StoreJournal.crc(image.png),
                StoreJournal.crc(image.json));
        byte[] bytes = bytes(entry, image);
        file.write(ByteBuffer.wrap(bytes), offset);
        digest.update(bytes);
        return entry;
      }
    }
  }

  private static byte[] bytes(StoreEntry entry, Waiting.Image image) {
    var bytes = new byte[(int) (entry.end() - entry.offset())];
    put(bytes, 0, TarBlocks.header(entry.key() + ".png", image.png.length));
    put(bytes, entry.pngAt() - entry.offset(), image.png);
    put(
        bytes,
        entry.jsonAt() - TarBlocks.BLOCK - entry.offset(),
        TarBlocks.header(entry.key() + ".json", image.json.length));
    put(bytes, entry.jsonAt() - entry.offset(), image.json);
    return bytes;
  }

  private static void put(byte[] target, long at, byte[] source) {
    System.arraycopy(source, 0, target, (int) at, source.length);
  }

  private void appendToJournal(String lines) throws IOException {
    byte[] bytes = lines.getBytes(StandardCharsets.US_ASCII);
    journal.write(ByteBuffer.wrap(bytes), journalLength);
    journal.force();
    journalLength += bytes.length;
  }

  private StoreFile openPart(int shard) throws IOException {
    StoreFile file = part;
    if (file == null) {
      file = files.open(StoreShard.part(folder, shard));
      part = file;
      files.syncFolder(folder);
    }
    return file;
  }

  /** Ends the shard whose images are all in the journal; also the last step of a recovery. */
  void finishShard(int shard) throws IOException {
    StoreFile file = openPart(shard);
    var trailer = new byte[TarBlocks.TRAILER];
    file.write(ByteBuffer.wrap(trailer), partLength);
    digest.update(trailer);
    file.force();
    file.close();
    part = null;
    files.rename(StoreShard.part(folder, shard), StoreShard.file(folder, shard));
    files.syncFolder(folder);
    String sha256 = Sha256.hex(digest);
    int images = header.endOf(shard) - shard * header.imagesPerShard();
    appendToJournal(
        StoreJournal.line(new StoreShard(shard, images, partLength + TarBlocks.TRAILER, sha256)));
    partLength = 0;
  }

  /** Takes back what the failed commit may have written; the next opening would do the same. */
  private MotleyException broken(IOException cause) {
    broken = true;
    waiting.clear();
    try {
      journal.truncate(journalLength);
      StoreFile file = part;
      if (file != null) {
        file.truncate(partLength);
      }
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
    if (cause instanceof ClosedByInterruptException) {
      return new CancelledException(
          "writing to %s was interrupted; %,d of %,d images are safe, and the same command goes on"
                  .formatted(folder, stored, header.plan().size())
              + " from there",
          cause);
    }
    return new ResourceException(
        "cannot write to %s: %s; %,d of %,d images are safe, and the same command goes on from there"
            .formatted(folder, FileFailure.reason(cause), stored, header.plan().size()),
        cause);
  }

  private void requireOpen() {
    if (closed || broken) {
      throw new IllegalStateException(
          "the writer of " + folder + (closed ? " is closed" : " has failed before"));
    }
  }

  /**
   * Commits what can be committed and lets the folder go. Images that wait for a missing one are
   * dropped. Closing twice does nothing.
   *
   * @throws ResourceException as {@link #commit}
   */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    try {
      if (!broken) {
        commit();
      }
    } finally {
      closed = true;
      waiting.clear();
      release();
    }
  }

  private void release() {
    try (lock) {
      journal.close();
      StoreFile file = part;
      if (file != null) {
        file.close();
      }
    } catch (IOException e) {
      throw new ResourceException("cannot close " + folder + ": " + FileFailure.reason(e), e);
    }
  }
}
