// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.diffusion.PictureParameters;
import dev.motley.diffusion.PictureTexts;
import dev.motley.files.AtomicFile;
import dev.motley.image.Png;
import dev.motley.image.RgbImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** PNG files with what made them. */
final class PictureFile {
  /** Where something lay does not decide a picture; the hashes beside these do. */
  private static final Set<String> PLACES = Set.of("model", "image");

  private PictureFile() {}

  /** Refuses what is no name for a picture, or lies where none can be written: hours of drawing would come to nothing. */
  static void requireName(String option, Path file) {
    if (!file.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
      throw new InvalidInputException(option + " must name a .png file, got " + file);
    }
    if (Files.isDirectory(file)) {
      throw new InvalidInputException("%s must name a .png file, %s is a folder".formatted(option, file));
    }
    requireWritable(option, file.toAbsolutePath().getParent());
  }

  /** Refuses a folder that cannot be written to, or made. */
  static void requireWritable(String option, Path folder) {
    Path there = folder.toAbsolutePath();
    while (!Files.exists(there)) {
      there = there.getParent(); // ends at the root
    }
    if (!Files.isDirectory(there)) {
      throw new InvalidInputException("%s: %s is a file, expected a folder".formatted(option, there));
    }
    if (!Files.isWritable(there)) {
      throw new ResourceException("%s: cannot write to %s: permission denied".formatted(option, there));
    }
  }

  static void write(Path file, RgbImage picture, PictureParameters p) {
    AtomicFile.write(file, Png.encode(picture, PictureTexts.complete(p)));
  }

  /**
   * Whether a picture has been drawn before.
   *
   * @throws InvalidInputException if another is in its place
   */
  static boolean isThere(Path file, PictureParameters p) {
    if (!Files.exists(file)) {
      return false;
    }
    Map<String, String> found = Png.texts(file.toString(), BeginPicture.bytes(file));
    Map<String, String> asked = PictureTexts.of(p);
    var keys = new TreeSet<>(PictureTexts.of(PictureTexts.read(file.toString(), found)).keySet());
    keys.addAll(asked.keySet());
    keys.removeAll(PLACES);
    for (String key : keys) {
      String old = found.getOrDefault(key, "none");
      String wanted = asked.getOrDefault(key, "none");
      if (!old.equals(wanted)) {
        throw new InvalidInputException(
            "%s is there, drawn with %s = %s, asked for is %s; choose another folder".formatted(file, key, old, wanted));
      }
    }
    return true;
  }
}
