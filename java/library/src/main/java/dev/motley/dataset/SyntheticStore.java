// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.files.FileFailure;
import dev.motley.tricks.PlannedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/**
 * A folder of drawn images: {@code dataset.json} (see {@link StoreHeader}), a journal, and shards
 * {@code 000000.tar}, {@code 000001.tar} and so on in WebDataset's layout, {@code KEY.png} followed
 * by {@code KEY.json} for every image in plan order. The file names, owners and times in the shards
 * are fixed, so a plan, a model and a config give the same bytes however often the work was
 * interrupted.
 *
 * <p>A store may be read while it grows; an instance sees what was safe when it was opened.
 *
 * <p>Immutable and safe for use by several threads.
 */
public final class SyntheticStore {

  private final Path folder;
  private final StoreHeader header;
  private final List<StoreSlot> slots;
  private final List<StoreEntry> entries;

  private SyntheticStore(Path folder, StoreHeader header, List<StoreSlot> slots) {
    this.folder = folder;
    this.header = header;
    this.slots = slots;
    entries = only(StoreEntry.class);
  }

  private <T> List<T> only(Class<T> kind) {
    return slots.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  /**
   * Begins a store, or goes on with an interrupted one.
   *
   * @param folder an empty, new or begun folder
   * @param header what the store is of
   * @return a writer that holds the folder until it is closed
   * @throws InvalidInputException if the folder holds anything else, belongs to another plan, model
   *     or config, is being written by another process, or is damaged
   * @throws ResourceException if the disk does not let it
   */
  public static StoreWriter create(Path folder, StoreHeader header) {
    return StoreRecovery.open(folder, header, StoreFiles.REAL);
  }

  /**
   * Whether a folder holds a store with images, or with what may be left of them where its journal is lost.
   */
  public static boolean holdsImages(Path folder) {
    try {
      return Files.exists(folder.resolve(StoreHeader.FILE)) && !StoreRecovery.cameToNothing(folder);
    } catch (IOException e) {
      throw FileFailure.readingIn(folder, e);
    }
  }

  /**
   * Opens a store for reading, finished or not.
   *
   * @param folder its folder
   * @return the store as it is now
   * @throws InvalidInputException if the folder is no store or its journal is damaged
   */
  public static SyntheticStore open(Path folder) {
    StoreHeader header = header(folder);
    try {
      StoreJournal journal = StoreJournal.read(StoreJournal.file(folder));
      if (journal.beyond()) {
        throw new InvalidInputException(
            "folder %s is damaged: the journal has a damaged line at byte %d; 'verify' tells more"
                .formatted(folder, journal.length()));
      }
      return new SyntheticStore(folder, header, journal.slots());
    } catch (IOException e) {
      throw new ResourceException(
          "cannot read %s: %s".formatted(StoreJournal.file(folder), FileFailure.reason(e)), e);
    }
  }

  static StoreHeader header(Path folder) {
    Path file = folder.resolve(StoreHeader.FILE);
    try {
      return StoreHeader.read(file.toString(), Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      throw new InvalidInputException(
          folder + " is no synthetic store: it has no " + StoreHeader.FILE, e);
    } catch (IOException e) {
      throw new ResourceException("cannot read " + file + ": " + FileFailure.reason(e), e);
    }
  }

  /**
   * Reads every byte of a store and compares it with the journal and the plan.
   *
   * @param folder its folder
   * @return what was found
   * @throws InvalidInputException if the folder is no store
   */
  public static StoreReport verify(Path folder) {
    return StoreCheck.verify(folder);
  }

  /**
   * Makes a damaged store sound: cuts it before the first image that is not whole, and removes torn
   * lines, orphaned shards and temporary files. What is cut is drawn again by the next run.
   *
   * @param folder its folder
   * @return what was done, and the state afterwards
   * @throws InvalidInputException if the folder is no store or is being written
   */
  public static StoreReport repair(Path folder) {
    return StoreCheck.repair(folder);
  }

  /**
   * Returns the store's folder.
   *
   * @return the folder
   */
  public Path folder() {
    return folder;
  }

  /**
   * Returns what the store is of.
   *
   * @return plan, model and config
   */
  public StoreHeader header() {
    return header;
  }

  /**
   * Lists the images in plan order.
   *
   * @return the stored images; a prefix of the plan but for those left out
   */
  public List<StoreEntry> entries() {
    return entries;
  }

  /** Lists the images that the safety checker had left out, in plan order. */
  public List<StoreDrop> dropped() {
    return only(StoreDrop.class);
  }

  /** Lists a prefix of the plan in its order: what became of each image. */
  public List<StoreSlot> slots() {
    return slots;
  }

  /**
   * Says whether nothing of the plan remains to be drawn.
   *
   * @return true for a finished store
   */
  public boolean isComplete() {
    return slots.size() == header.plan().size();
  }

  /**
   * Counts what the safety checker did; reads the record of every image.
   *
   * @return empty for a store whose pictures are not checked
   * @throws InvalidInputException if a record is not what was written
   */
  public Optional<SafetySummary> safety() {
    var tally = new SafetySummary.Tally(header);
    if (header.safety() != SafetyPolicy.OFF) {
      entries.forEach(entry -> tally.add(entry, StoreJson.read(entry.key() + ".json", json(entry))));
      dropped().forEach(tally::add);
    }
    return tally.summary();
  }

  /**
   * Returns what was planned for an image.
   *
   * @param slot an image of this store, or one that it leaves out
   * @return its plan; the stored pixels may have a later seed, which the JSON tells
   */
  public PlannedImage planned(StoreSlot slot) {
    return header.plan().image(slot.position());
  }

  /**
   * Reads one image's PNG.
   *
   * @param entry an image of this store
   * @return the PNG's bytes
   * @throws InvalidInputException if they are not what was written
   */
  public byte[] png(StoreEntry entry) {
    return read(entry, entry.key() + ".png", entry.pngAt(), entry.pngLength(), entry.pngCrc());
  }

  /**
   * Reads one image's JSON.
   *
   * @param entry an image of this store
   * @return the JSON's bytes, UTF-8
   * @throws InvalidInputException if they are not what was written
   */
  public byte[] json(StoreEntry entry) {
    return read(entry, entry.key() + ".json", entry.jsonAt(), entry.jsonLength(), entry.jsonCrc());
  }

  /** Takes the PNGs of some images, one after the other. */
  @FunctionalInterface
  interface PngTaker {
    void take(int index, byte[] png);
  }

  /**
   * Reads the PNGs of images that all lie in one shard, which is opened once.
   *
   * @throws InvalidInputException if one is not what was written
   */
  void pngs(List<StoreEntry> ofOneShard, PngTaker taker) {
    String shard = StoreShard.fileName(ofOneShard.getFirst().shard());
    try (FileChannel channel = openShard(ofOneShard.getFirst().shard())) {
      for (int i = 0; i < ofOneShard.size(); i++) {
        StoreEntry entry = ofOneShard.get(i);
        taker.take(
            i, read(channel, entry, entry.key() + ".png", entry.pngAt(), entry.pngLength(), entry.pngCrc()));
      }
    } catch (IOException e) {
      throw cannotRead(shard, e);
    }
  }

  private ResourceException cannotRead(String name, IOException e) {
    return new ResourceException("cannot read %s of %s: %s".formatted(name, folder, FileFailure.reason(e)), e);
  }

  private byte[] read(StoreEntry entry, String name, long at, int length, int crc) {
    try (FileChannel channel = openShard(entry.shard())) {
      return read(channel, entry, name, at, length, crc);
    } catch (IOException e) {
      throw cannotRead(name, e);
    }
  }

  private byte[] read(FileChannel channel, StoreEntry entry, String name, long at, int length, int crc)
      throws IOException {
    var bytes = ByteBuffer.allocate(length);
    while (bytes.hasRemaining() && channel.read(bytes, at + bytes.position()) >= 0) {}
    if (bytes.hasRemaining() || StoreJournal.crc(bytes.array()) != crc) {
      throw new InvalidInputException(
          "%s in %s of %s is not what was written; 'verify' tells more"
              .formatted(name, StoreShard.fileName(entry.shard()), folder));
    }
    return bytes.array();
  }

  /** A shard may get its final name at any moment between two looks. */
  private FileChannel openShard(int shard) throws IOException {
    try {
      return FileChannel.open(StoreShard.file(folder, shard), StandardOpenOption.READ);
    } catch (NoSuchFileException e) {
      try {
        return FileChannel.open(StoreShard.part(folder, shard), StandardOpenOption.READ);
      } catch (NoSuchFileException part) {
        return FileChannel.open(StoreShard.file(folder, shard), StandardOpenOption.READ);
      }
    }
  }
}
