// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.InvalidInputException;
import dev.motley.tricks.ClassList;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Synthetic stores as packed images to train on. */
public final class SyntheticImages {

  private SyntheticImages() {}

  /**
   * Decodes whole stores, on all cores.
   *
   * @param stores complete ones with the same classes and image size; images that two of them hold under one key and alike
   *     count once
   * @return the images in the stores' order, labelled by the plan's class indices
   * @throws InvalidInputException if a store is incomplete, or they do not fit together
   */
  public static ImageSet load(List<SyntheticStore> stores) {
    if (stores.isEmpty()) {
      throw new InvalidInputException("no store to load: expected at least one");
    }
    ClassList classes = stores.getFirst().header().plan().spec().classes();
    var parts = new ArrayList<ImageSet>();
    var seen = new java.util.HashSet<String>();
    for (SyntheticStore store : stores) {
      if (!store.isComplete()) {
        throw new InvalidInputException(
            "%s has %d of its %d images: generate the rest first"
                .formatted(store.folder(), store.entries().size(), store.header().plan().size()));
      }
      if (!store.header().plan().spec().classes().labels().equals(classes.labels())) {
        throw new InvalidInputException(
            "%s has other classes than %s".formatted(store.folder(), stores.getFirst().folder()));
      }
      List<StoreEntry> fresh =
          store.entries().stream().filter(entry -> seen.add(identity(store, entry))).toList();
      if (!fresh.isEmpty()) {
        parts.add(decode(store, fresh, classes));
      }
    }
    return parts.size() == 1 ? parts.getFirst() : join(parts);
  }

  /** Two images are the same when model, key, noise and pixels are: the checksum tells the pixels. */
  private static String identity(SyntheticStore store, StoreEntry entry) {
    return store.header().modelHash() + " " + entry.key() + " " + entry.pngCrc() + " " + entry.jsonCrc();
  }

  private static ImageSet decode(SyntheticStore store, List<StoreEntry> entries, ClassList classes) {
    RgbImage first = picture(store, entries.getFirst());
    int size = first.pixels().length;
    byte[] pixels = new byte[Math.multiplyExact(size, entries.size())];
    int[] labels = new int[entries.size()];
    IntStream.range(0, entries.size())
        .parallel()
        .forEach(
            i -> {
              RgbImage image = picture(store, entries.get(i));
              if (image.width() != first.width() || image.height() != first.height()) {
                throw new InvalidInputException(
                    "%s: image %s has %dx%d pixels, others %dx%d"
                        .formatted(
                            store.folder(), entries.get(i).key(), image.width(), image.height(),
                            first.width(), first.height()));
              }
              System.arraycopy(image.pixels(), 0, pixels, i * size, size);
              labels[i] = store.planned(entries.get(i)).classIndex();
            });
    return new ImageSet(
        store.folder().toString(), first.height(), first.width(), pixels, labels, classes.labels());
  }

  private static RgbImage picture(SyntheticStore store, StoreEntry entry) {
    return Png.decode(store.folder() + "/" + entry.key() + ".png", store.png(entry));
  }

  private static ImageSet join(List<ImageSet> parts) {
    ImageSet first = parts.getFirst();
    int count = parts.stream().mapToInt(ImageSet::count).reduce(0, Math::addExact);
    byte[] pixels = new byte[Math.multiplyExact(count, 3 * first.width() * first.height())];
    int[] labels = new int[count];
    int at = 0;
    for (ImageSet part : parts) {
      if (part.width() != first.width() || part.height() != first.height()) {
        throw new InvalidInputException(
            "%s has images of %dx%d pixels, %s of %dx%d"
                .formatted(
                    part.name(), part.width(), part.height(), first.name(), first.width(), first.height()));
      }
      System.arraycopy(part.pixels(), 0, pixels, at * 3 * first.width() * first.height(), part.pixels().length);
      System.arraycopy(part.labels(), 0, labels, at, part.count());
      at += part.count();
    }
    return new ImageSet(
        first.name() + " and " + (parts.size() - 1) + " more", first.height(), first.width(), pixels, labels,
        first.classNames());
  }
}
