// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The tensors of a PyTorch checkpoint (.ckpt, .pt, .pth, .bin): of its entry {@code state_dict} if it has one, as Lightning writes,
 * else of the dictionary that was saved. Both forms are read, the zip archive of torch 1.6 and later and the older row of pickles.
 *
 * <p>The pickle is read as data by rules of our own; nothing in it is looked up, called or made. A checkpoint may name three kinds
 * of Python classes and functions: those that make up a state_dict, which are understood; a short list that Lightning is known to
 * save beside it (NumPy scalars, its own and omegaconf's classes), which stand for nothing and are passed over; and all others, for
 * which the whole file is refused, with one line that tells the name. The same holds inside and outside of the state_dict, so that a
 * file with code in it never loads, although none of the code could run. Entries that are no tensors are left out.
 *
 * <p>Every count in the file is checked against the bytes that are there before memory is taken. Dense tensors are views of the
 * mapped file. A strided one (transposed, sliced, channels_last) is copied each time its bytes are asked for; all of them together may
 * take no more than the file's size, so that a small file cannot ask for much memory. A tensor may have at most 2^31 - 1 bytes.
 *
 * <p>Thread-safe. Views stay readable after {@link #close()}; the file must not be truncated while views are in use, or the JVM may
 * crash.
 */
public final class TorchFile implements TensorFile {
  private static final int HEAD_BYTES = 64;
  private static final String STATE_DICT = "state_dict";

  /** A tensor and the bytes of the file that it reaches. */
  private record Placed(StridedLayout layout, ByteRange range) {}

  private final Path file;
  private final Map<String, Placed> tensors;
  private final Map<ByteRange, ByteBuffer> data;
  private volatile boolean closed;

  private TorchFile(Path file, Map<String, Placed> tensors, Map<ByteRange, ByteBuffer> data) {
    this.file = file;
    this.tensors = tensors;
    this.data = data;
  }

  /**
   * Opens and validates a file.
   *
   * @throws InvalidInputException if it is missing, damaged, big-endian, without tensors, or names what no state_dict needs; the
   *     message names file and tensor, storage or class
   * @throws ResourceException if it cannot be read or mapped
   */
  public static TorchFile open(Path file) {
    return open(file, ByteRange.WINDOW_BYTES);
  }

  static TorchFile open(Path file, long windowBytes) {
    if (Files.isDirectory(file)) {
      throw new InvalidInputException(file + ": is a folder, expected a PyTorch checkpoint");
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      TorchStorages content = read(file, channel);
      Map<String, Placed> tensors = new LinkedHashMap<>();
      for (var tensor : stateDict(file, content.root()).entrySet()) {
        tensors.put(tensor.getKey(), place(file, tensor.getKey(), tensor.getValue(), content.places()));
      }
      checkCopies(file, tensors, channel.size());
      return new TorchFile(
          file,
          tensors,
          ByteRange.map(channel, tensors.values().stream().map(Placed::range).toList(), windowBytes));
    } catch (IOException e) {
      throw FileFailure.reading(file, e);
    }
  }

  private static TorchStorages read(Path file, FileChannel channel) throws IOException {
    ByteBuffer head = FileBytes.read(file, channel, 0, (int) Math.min(channel.size(), HEAD_BYTES));
    if (TorchStorages.isZip(head)) {
      return TorchStorages.zip(file, channel);
    }
    if (TorchStorages.isLegacy(head)) {
      return TorchStorages.legacy(file, channel);
    }
    throw new InvalidInputException(file + ": is no PyTorch checkpoint: neither a zip archive nor the legacy form");
  }

  /** The tensors by name, in the order of the pickle. */
  private static Map<String, Pickled.Tensor> stateDict(Path file, Pickled root) {
    Map<String, Pickled> top = byText(file, "checkpoint", root);
    Map<String, Pickled.Tensor> tensors = new LinkedHashMap<>();
    Map<String, Pickled> dict = top.containsKey(STATE_DICT) ? byText(file, STATE_DICT, top.get(STATE_DICT)) : top;
    dict.forEach(
        (name, value) -> {
          if (value instanceof Pickled.Tensor tensor) {
            tensors.put(name, tensor);
          }
        });
    if (tensors.isEmpty()) {
      throw new InvalidInputException(
          "%s: holds no tensors; expected a state_dict, found keys %s"
              .formatted(file, Quote.of(String.join(", ", dict.keySet()))));
    }
    return tensors;
  }

  /** The entries whose keys are text. */
  private static Map<String, Pickled> byText(Path file, String what, Pickled value) {
    if (!(value instanceof Pickled.Dict(var entries))) {
      throw new InvalidInputException(file + ": its " + what + " is no dictionary of tensors");
    }
    Map<String, Pickled> named = new LinkedHashMap<>();
    for (Pickled.Entry entry : entries) {
      if (entry.key() instanceof Pickled.Text(String name) && named.put(name, entry.value()) != null) {
        throw new InvalidInputException(file + ": key " + Quote.of(name) + " appears twice in its " + what);
      }
    }
    return named;
  }

  private static Placed place(Path file, String name, Pickled.Tensor tensor, TorchStorages.Places places)
      throws IOException {
    ByteRange storage;
    try {
      storage = places.find(tensor.storage());
    } catch (InvalidInputException e) {
      throw new InvalidInputException(e.getMessage() + " (tensor " + Quote.of(name) + ")", e);
    }
    StridedLayout layout = tensor.layout();
    if (layout.begin() + layout.span() > storage.bytes()) {
      throw new InvalidInputException(
          "%s: tensor %s reaches to byte %d of storage %s, which has %d"
              .formatted(
                  file,
                  Quote.of(name),
                  layout.begin() + layout.span(),
                  Quote.of(tensor.storage().key()),
                  storage.bytes()));
    }
    return new Placed(layout, new ByteRange(storage.begin() + layout.begin(), layout.span()));
  }

  private static void checkCopies(Path file, Map<String, Placed> tensors, long size) {
    long copies = 0;
    for (var tensor : tensors.entrySet()) {
      StridedLayout layout = tensor.getValue().layout();
      if (!layout.isDense()) {
        long bytes = layout.denseBytes();
        if (bytes > size - copies) {
          throw new InvalidInputException(
              "%s: strided tensors up to %s take %d bytes and more, which the file of %d does not hold"
                  .formatted(file, Quote.of(tensor.getKey()), bytes, size));
        }
        copies += bytes;
      }
    }
  }

  @Override
  public Path file() {
    return file;
  }

  /** Names in the order of the pickle. */
  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  /**
   * A tensor by name, dense.
   *
   * @throws InvalidInputException if there is none, or if it has, or reaches over, more than 2^31 - 1 bytes
   */
  @Override
  public TensorView tensor(String name) {
    if (closed) {
      throw new IllegalStateException(file + " is closed");
    }
    Placed placed = tensors.get(name);
    if (placed == null) {
      throw new InvalidInputException(file + ": no tensor " + Quote.of(name));
    }
    StridedLayout layout = placed.layout();
    ByteBuffer bytes = data.get(placed.range());
    if (bytes == null || layout.denseBytes() > Integer.MAX_VALUE) {
      throw new InvalidInputException(
          "%s: tensor %s has or reaches over %d bytes; at most 2147483647 are supported in one tensor"
              .formatted(file, Quote.of(name), Math.max(layout.denseBytes(), layout.span())));
    }
    return layout.isDense()
        ? new TensorView(name, layout.dtype(), layout.size(), bytes)
        : TensorView.lazy(name, layout.dtype(), layout.size(), () -> layout.copy(bytes));
  }

  @Override
  public String toString() {
    return file.toString();
  }

  @Override
  public void close() {
    closed = true;
  }
}
