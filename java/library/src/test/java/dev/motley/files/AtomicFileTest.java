// SPDX-License-Identifier: Apache-2.0
package dev.motley.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.ResourceException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir private Path folder;

  @Test
  void aFailureInTheMiddleLeavesTheOldFileAndNothingElse() throws IOException {
    Path file = folder.resolve("deep/er/file.txt");
    AtomicFile.write(file, "old");
    assertThatThrownBy(
            () ->
                AtomicFile.write(
                    file,
                    channel -> {
                      channel.write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
                      throw new IOException("No space left on device");
                    }))
        .isInstanceOf(ResourceException.class)
        .hasMessage("cannot write " + file + ": no space left on device");
    assertThat(file).hasContent("old");
    assertThat(file.getParent().toFile().list()).containsExactly("file.txt");
    AtomicFile.write(file, "new");
    assertThat(file).hasContent("new");
  }

  @Test
  void whatAKilledProcessLeftIsReplaced() throws IOException {
    Path file = folder.resolve("file.txt");
    Files.writeString(folder.resolve(".file.txt.tmp"), "half of something longer");
    AtomicFile.write(file, "whole");
    assertThat(file).hasContent("whole");
    assertThat(folder.toFile().list()).containsExactly("file.txt");
  }
}
