// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The two forms of a PyTorch checkpoint: its main pickle, and where its storages lie.
 *
 * <p>Source: torch/serialization.py, {@code _save} and {@code _legacy_save}, and caffe2/serialize/inline_container.cc.
 *
 * @param root the object that was saved
 * @param places where a storage lies; throws {@link InvalidInputException} if it is not there whole
 */
record TorchStorages(Pickled root, Places places) {
  /** The pickle of 25,000 tensors has 5 MB; its elements are not in it. */
  static final int MAX_PICKLE_BYTES = 32 << 20;

  private static final String PICKLE = "/data.pkl";
  private static final long LEGACY_PROTOCOL = 1001;

  /** The number with which the legacy form begins, as a pickle says it: LONG1 of 10 bytes, STOP. */
  private static final byte[] LEGACY_MAGIC = {
    (byte) 0x8a, 10, 0x6c, (byte) 0xfc, (byte) 0x9c, 0x46, (byte) 0xf9, 0x20, 0x6a, (byte) 0xa8, 0x50, 0x19, '.'
  };

  /** PROTO and its number, and from protocol 4 on FRAME and its length. */
  private static final int[] MAGIC_STARTS = {2, 11};

  /** Where storages lie. */
  @FunctionalInterface
  interface Places {
    ByteRange find(Pickled.Storage storage) throws IOException;
  }

  /** Whether a file that begins so is a zip archive. */
  static boolean isZip(ByteBuffer head) {
    return head.remaining() >= 4 && head.getInt(0) == 0x04034b50;
  }

  /** Whether a file that begins so is a checkpoint of the legacy form. */
  static boolean isLegacy(ByteBuffer head) {
    for (int start : MAGIC_STARTS) {
      if (head.remaining() >= start + LEGACY_MAGIC.length
          && (head.get(0) & 0xff) == 0x80
          && head.slice(start, LEGACY_MAGIC.length).equals(ByteBuffer.wrap(LEGACY_MAGIC))) {
        return true;
      }
    }
    return false;
  }

  /** Reads the form of torch 1.6 and later: NAME/data.pkl, NAME/byteorder and NAME/data/KEY in a zip archive. */
  static TorchStorages zip(Path file, FileChannel channel) throws IOException {
    ZipDirectory zip = ZipDirectory.read(file, channel);
    List<String> pickles =
        zip.names().stream().filter(name -> name.endsWith(PICKLE) && name.indexOf('/') == name.lastIndexOf('/')).toList();
    if (pickles.size() != 1) {
      throw bad(file, "is a zip archive with " + pickles.size() + " data.pkl, expected a PyTorch checkpoint with one");
    }
    String folder = pickles.getFirst().substring(0, pickles.getFirst().length() - PICKLE.length());
    if (zip.names().contains(folder + "/constants.pkl")) {
      throw bad(file, "is a TorchScript program, expected a state_dict; save model.state_dict() instead");
    }
    String byteOrder = folder + "/byteorder";
    if (zip.names().contains(byteOrder)) {
      checkByteOrder(file, channel, zip.locate(byteOrder));
    }
    ByteRange pickle = zip.locate(pickles.getFirst());
    if (pickle.bytes() > MAX_PICKLE_BYTES) {
      throw bad(file, "has a pickle of " + pickle.bytes() + " bytes, at most " + MAX_PICKLE_BYTES + " are read");
    }
    ByteBuffer bytes = FileBytes.read(file, channel, pickle.begin(), (int) pickle.bytes());
    Pickled root = Unpickler.read(file.toString(), bytes, new TorchObjects(file.toString()));
    return new TorchStorages(
        root,
        storage -> {
          ByteRange found = zip.locate(folder + "/data/" + storage.key());
          if (found.bytes() != bytesOf(file, storage)) {
            throw bad(
                file,
                "storage %s has %d bytes, expected %d elements of %s"
                    .formatted(Quote.of(storage.key()), found.bytes(), storage.elements(), storage.dtype()));
          }
          return found;
        });
  }

  private static void checkByteOrder(Path file, FileChannel channel, ByteRange range) throws IOException {
    int most = "little".length();
    String order =
        range.bytes() > most
            ? "?"
            : StandardCharsets.ISO_8859_1
                .decode(FileBytes.read(file, channel, range.begin(), (int) range.bytes()))
                .toString();
    if (!order.equals("little")) {
      throw bad(file, "has byte order " + Quote.of(order) + "; only little-endian checkpoints are read");
    }
  }

  /**
   * Reads the older form: pickles of a magic number, a protocol version, facts about the system, the object and the list of its
   * storages' keys; then, in the order of that list, the number of elements as int64 and the elements.
   */
  static TorchStorages legacy(Path file, FileChannel channel) throws IOException {
    long size = channel.size();
    // Mapped, since only reading tells how long the pickles are.
    ByteBuffer bytes = channel.map(MapMode.READ_ONLY, 0, Math.min(size, MAX_PICKLE_BYTES));
    String where = file.toString();
    TorchObjects objects = new TorchObjects(where);
    Unpickler.read(where, bytes, objects);
    if (!(Unpickler.read(where, bytes, objects) instanceof Pickled.Int(long protocol)) || protocol != LEGACY_PROTOCOL) {
      throw bad(file, "is of another protocol than " + LEGACY_PROTOCOL);
    }
    checkSystem(file, Unpickler.read(where, bytes, objects));
    Pickled root = Unpickler.read(where, bytes, objects);
    if (!(Unpickler.read(where, bytes, objects) instanceof Pickled.Items(var keys))) {
      throw bad(file, "has no list of storages behind its pickle");
    }
    Map<String, ByteRange> places = locate(file, channel, bytes.position(), keys, objects.storages());
    return new TorchStorages(
        root,
        storage -> {
          ByteRange place = places.get(storage.key());
          if (place == null) {
            throw bad(file, "storage " + Quote.of(storage.key()) + " is missing");
          }
          return place;
        });
  }

  private static void checkSystem(Path file, Pickled system) {
    if (!(system instanceof Pickled.Dict(var facts))) {
      throw bad(file, "does not say on what system it was written");
    }
    for (Pickled.Entry fact : facts) {
      if (fact.key() instanceof Pickled.Text(String key)
          && key.equals("little_endian")
          && !(fact.value() instanceof Pickled.Bool(boolean little) && little)) {
        throw bad(file, "was written on a big-endian machine; only little-endian checkpoints are read");
      }
    }
  }

  private static Map<String, ByteRange> locate(
      Path file, FileChannel channel, long at, List<Pickled> keys, Map<String, Pickled.Storage> storages)
      throws IOException {
    long size = channel.size();
    Map<String, ByteRange> places = new HashMap<>();
    for (Pickled item : keys) {
      if (!(item instanceof Pickled.Text(String key)) || !storages.containsKey(key)) {
        throw bad(file, "lists a storage that no tensor is in");
      }
      Pickled.Storage storage = storages.get(key);
      long bytes = bytesOf(file, storage);
      if (size - at < Long.BYTES || bytes > size - at - Long.BYTES) {
        throw bad(file, "ends before storage " + Quote.of(key) + " of " + bytes + " bytes; truncated?");
      }
      long elements = FileBytes.read(file, channel, at, Long.BYTES).getLong();
      if (elements != storage.elements()) {
        throw bad(
            file,
            "storage %s has %d elements, expected %d".formatted(Quote.of(key), elements, storage.elements()));
      }
      at += Long.BYTES;
      if (places.put(key, new ByteRange(at, bytes)) != null) {
        throw bad(file, "lists storage " + Quote.of(key) + " twice");
      }
      at += bytes;
    }
    Set<String> missing = new TreeSet<>(storages.keySet());
    missing.removeAll(places.keySet());
    if (!missing.isEmpty() || at != size) {
      throw bad(
          file,
          missing.isEmpty()
              ? (size - at) + " bytes after its last storage belong to none"
              : "storage " + Quote.of(missing.iterator().next()) + " is missing");
    }
    return places;
  }

  private static long bytesOf(Path file, Pickled.Storage storage) {
    try {
      return storage.dtype().bytes(new long[] {storage.elements()});
    } catch (ArithmeticException e) {
      throw bad(file, "storage " + Quote.of(storage.key()) + " has an impossible size of " + storage.elements() + " elements");
    }
  }

  private static InvalidInputException bad(Path file, String what) {
    return new InvalidInputException(file + ": " + what);
  }
}
