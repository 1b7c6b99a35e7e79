// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.InvalidInputException;
import dev.motley.dataset.ImageSet;
import dev.motley.dataset.StoreView;
import dev.motley.dataset.SyntheticStore;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** Finished stores as one set of images. */
final class Stores {
  private Stores() {}

  /** Opens a store that every image of its plan is in. */
  static SyntheticStore open(Path folder) {
    SyntheticStore store = SyntheticStore.open(folder);
    if (!store.isComplete()) {
      throw new InvalidInputException(
          "%s has %d of its %d images: run 'generate' again to draw the rest"
              .formatted(folder, store.entries().size(), store.header().plan().size()));
    }
    return store;
  }

  /** The union of stores: an image that several hold counts once. */
  static ImageSet load(List<Path> folders) {
    String name = folders.stream().map(Path::toString).collect(Collectors.joining(", "));
    return StoreView.union(name, folders.stream().map(f -> StoreView.of(open(f))).toList()).load();
  }
}
