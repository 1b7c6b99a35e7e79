// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;

/** A process that goes on with a store and says after every commit how far it is. */
final class StoreCrashChild {

  static final int PER_CLASS = 20;
  static final int PER_SHARD = 50;

  private StoreCrashChild() {}

  static Process start(Path folder, Path said) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            StoreCrashChild.class.getName(),
            folder.toString())
        .redirectOutput(said.toFile())
        .redirectError(ProcessBuilder.Redirect.to(said.resolveSibling("errors").toFile()))
        .start();
  }

  public static void main(String[] arguments) {
    StoreHeader header = StoreFixture.header(PER_CLASS, PER_SHARD);
    var random = new Random();
    try (StoreWriter writer = SyntheticStore.create(Path.of(arguments[0]), header)) {
      while (!writer.isComplete()) {
        int from = writer.nextPosition();
        int to = Math.min(header.plan().size(), from + 1 + random.nextInt(9));
        StoreFixture.append(writer, header.plan(), from, to, random);
        System.out.println(writer.commit());
        System.out.flush();
      }
    }
  }
}
