// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.MotleyVersion;
import dev.motley.ResourceException;
import dev.motley.diffusion.PictureParameters.Grid;
import dev.motley.files.AtomicFile;
import dev.motley.image.ContactSheet;
import dev.motley.image.Png;
import dev.motley.image.RgbImage;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A picture file that shows how far the drawing has come, for viewers that load it again when it changes. */
final class Preview {
  private final Path file;
  private final int every;
  private final int places;
  private final ContactSheet sheet;
  private final PrintWriter err;
  private boolean failed;

  /**
   * @param every so many steps
   * @param shape of the sheet; where there are more pictures, later ones take the places of earlier ones
   * @param err hears, once, that the file cannot be written: the drawing is worth more
   */
  Preview(Path file, int every, Grid shape, int width, int height, PrintWriter err) {
    this.err = err;
    this.file = file;
    this.every = every;
    places = shape.columns() * shape.rows();
    sheet = new ContactSheet(shape.columns(), shape.rows(), width, height);
  }

  /** A sheet about as wide as high, in pictures. */
  static Grid square(int pictures) {
    int columns = (int) Math.ceil(Math.sqrt(pictures));
    return new Grid(columns, Math.ceilDiv(pictures, columns));
  }

  boolean wants(long step) {
    return !failed && step % every == 0;
  }

  void show(int first, List<RgbImage> pictures) {
    for (int i = 0; i < pictures.size(); i++) {
      sheet.put((first + i) % places, pictures.get(i));
    }
    if (failed) {
      return;
    }
    try {
      AtomicFile.write(file, Png.encode(sheet.image(), Map.of("Software", "motley " + MotleyVersion.current())));
    } catch (ResourceException e) {
      failed = true;
      err.println("motley: no more previews: " + e.getMessage());
    }
  }
}
