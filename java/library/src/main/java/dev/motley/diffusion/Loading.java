// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.CancelledException;
import dev.motley.Progress;
import dev.motley.ProgressListener;
import dev.motley.ffi.NativeWeights;
import dev.motley.weights.ModelHash;
import dev.motley.weights.NativeTensors;
import dev.motley.weights.Part;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Loads the networks of one model in turn, and tells how far that is. A network's bytes count half when they are read and hashed, and
 * wholly when it is made. The listener may stop it between two networks, or two tensors that are read.
 */
final class Loading {
  private final Path model;
  private final long total;
  private final ProgressListener listener;
  private final Map<String, String> hashes = new TreeMap<>();

  /** Bytes of the networks that are loaded. */
  private long done;

  /** @param parts of the model, all that will be loaded */
  Loading(Path model, List<Part> parts, ProgressListener listener) {
    this.model = model;
    this.total = parts.stream().mapToLong(Part::bytes).sum();
    this.listener = listener;
  }

  /** Hashes a network and makes it at once, while its pages are at hand. */
  <T> T make(Part part, Function<NativeWeights, T> network) {
    return make(
        part,
        () -> {
          hashes.put(part.name(), ModelHash.of(part, read -> tell(done + read / 2, part.name())));
          return NativeTensors.make(part.file().toString(), part.tensors().values(), network);
        });
  }

  /** Makes what a part is for, told as one step. What was made is told with the next: the listener may throw, and it has no owner yet. */
  <T> T make(Part part, Supplier<T> maker) {
    tell(done, part.name());
    T made = maker.get();
    done += part.bytes();
    return made;
  }

  /** Tells that all is loaded. */
  void finish() {
    tell(total, "");
  }

  private void tell(long bytes, String part) {
    if (!listener.onProgress(Progress.ofBytes("load", bytes, total, part))) {
      throw new CancelledException("stopped while loading " + model + "; nothing was written");
    }
  }

  /** The hash of each network by its name. */
  Map<String, String> hashes() {
    return Collections.unmodifiableMap(hashes);
  }
}
