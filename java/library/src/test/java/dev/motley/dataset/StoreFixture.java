// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.tricks.ClassList;
import dev.motley.tricks.Fidelity;
import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.PlanSpec;
import dev.motley.tricks.Trick;
import dev.motley.tricks.TrickMix;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/** Small stores whose every byte follows from the plan. */
final class StoreFixture {

  private static final byte[] SIGNATURE = HexFormat.of().parseHex("89504e470d0a1a0a");

  private StoreFixture() {}

  static GenerationPlan plan(int perClass) {
    return GenerationPlan.of(
        PlanSpec.of(ClassList.of("own", List.of("猫", "dog", "ankle_boot")), Fidelity.PAPER)
            .with(TrickMix.union(List.of(Trick.values()), perClass)));
  }

  static StoreHeader header(int perClass, int imagesPerShard) {
    return new StoreHeader(
        plan(perClass),
        "0123456789abcdef0123",
        Map.of("precision", "fp32", "stored-width", 32, "eta", 0.5),
        Map.of("motley", "test"),
        imagesPerShard);
  }

  /** Bytes that pass for a PNG: its signature and noise, of awkward lengths. */
  static byte[] png(int position) {
    var random = new Random(position);
    var bytes = new byte[SIGNATURE.length + random.nextInt(1400)];
    random.nextBytes(bytes);
    System.arraycopy(SIGNATURE, 0, bytes, 0, SIGNATURE.length);
    return bytes;
  }

  static byte[] json(GenerationPlan plan, int position) {
    return StoreRecord.json(plan.image(position), List.of(), Optional.empty());
  }

  /** Hands over [from, to) in an order of its own. */
  static void append(StoreWriter writer, GenerationPlan plan, int from, int to, Random order) {
    var positions = new ArrayList<Integer>();
    for (int i = from; i < to; i++) {
      positions.add(i);
    }
    Collections.shuffle(positions, order);
    for (int i : positions) {
      writer.append(i, plan.image(i).key(), png(i), json(plan, i));
    }
  }

  /** Writes what is missing, in batches of up to {@code batch} images. */
  static void finish(StoreWriter writer, GenerationPlan plan, int batch, Random random) {
    while (!writer.isComplete()) {
      int from = writer.nextPosition();
      int to = Math.min(plan.size(), from + 1 + random.nextInt(batch));
      append(writer, plan, from, to, random);
      writer.commit();
    }
  }

  /** A writer on the real file system that does not wait for the disk. */
  static StoreWriter open(Path folder, StoreHeader header) {
    return StoreRecovery.open(folder, header, FailingFiles.sound());
  }

  static Path whole(Path folder, StoreHeader header) {
    try (StoreWriter writer = open(folder, header)) {
      finish(writer, header.plan(), 4, new Random(1));
    }
    return folder;
  }

  /** Every file of a folder, as text that two equal folders share. */
  static Map<String, String> contents(Path folder) {
    var contents = new TreeMap<String, String>();
    try {
      for (String name : StoreRecovery.names(folder)) {
        byte[] bytes = Files.readAllBytes(folder.resolve(name));
        contents.put(name, bytes.length + " bytes, hash " + Arrays.hashCode(bytes));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return contents;
  }

  static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    for (String name : StoreRecovery.names(from)) {
      Files.copy(from.resolve(name), to.resolve(name));
    }
  }

  static void delete(Path folder) throws IOException {
    for (String name : StoreRecovery.names(folder)) {
      Files.delete(folder.resolve(name));
    }
    Files.delete(folder);
  }
}
