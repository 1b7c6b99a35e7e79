// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.diffusion.PictureParameters;
import dev.motley.files.FileFailure;
import dev.motley.files.Sha256;
import dev.motley.image.PictureReader;
import dev.motley.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A picture to begin from, as a file has it. */
record BeginPicture(PictureParameters.Begin begin, RgbImage picture) {
  static BeginPicture read(Path file) {
    byte[] bytes = bytes(file);
    return new BeginPicture(
        new PictureParameters.Begin(file.toString(), Sha256.of(bytes)), PictureReader.decode(file.toString(), bytes));
  }

  static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw FileFailure.reading(file, e);
    }
  }
}
