// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** A test set for tests that care for no accuracy: twenty noisy images in the layout of Fashion-MNIST. */
final class NoisyImages {
  private static final int COUNT = 20;
  private static final int SIZE = 28;

  private NoisyImages() {}

  /** Writes it to a new folder, whose name must contain "fashion"; returns the folder. */
  static Path write(Path folder) throws IOException {
    Files.createDirectory(folder);
    var random = new Random(3);
    var images = new ByteArrayOutputStream();
    var labels = new ByteArrayOutputStream();
    header(images, 0x803, COUNT, SIZE, SIZE);
    header(labels, 0x801, COUNT);
    for (int i = 0; i < COUNT; i++) {
      labels.write(i % 10);
      byte[] pixels = new byte[SIZE * SIZE];
      random.nextBytes(pixels);
      images.writeBytes(pixels);
    }
    Files.write(folder.resolve("t10k-images-idx3-ubyte"), images.toByteArray());
    Files.write(folder.resolve("t10k-labels-idx1-ubyte"), labels.toByteArray());
    return folder;
  }

  private static void header(ByteArrayOutputStream out, int... values) throws IOException {
    var data = new DataOutputStream(out);
    for (int value : values) {
      data.writeInt(value);
    }
  }
}
