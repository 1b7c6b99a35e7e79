// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.diffusion.PictureParameters.Grid;
import dev.motley.image.RgbImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreviewTest {
  @TempDir private Path folder;

  /** Hours of drawing are worth more than what shows how far they are. */
  @Test
  void aFileThatCannotBeWrittenEndsThePreviewsAlone() throws IOException {
    Path file = Files.createFile(folder.resolve("file")).resolve("now.png");
    var said = new StringWriter();
    var preview = new Preview(file, 1, new Grid(1, 1), 2, 2, new PrintWriter(said, true));
    List<RgbImage> picture = List.of(new RgbImage(2, 2, new byte[12]));
    assertThat(preview.wants(1)).isTrue();
    preview.show(0, picture);
    preview.show(0, picture);
    assertThat(preview.wants(2)).isFalse();
    assertThat(said.toString()).startsWith("motley: no more previews: ").contains(file.toString()).hasLineCount(1);
  }
}
