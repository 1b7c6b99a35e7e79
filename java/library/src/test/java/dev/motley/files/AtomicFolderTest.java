// SPDX-License-Identifier: Apache-2.0
package dev.motley.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.ResourceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFolderTest {
  @TempDir private Path parent;

  private static AtomicFolder.Content text(String text) {
    return folder -> Files.writeString(folder.resolve("text"), text);
  }

  @Test
  void replacesTheWholeFolder() throws IOException {
    Path folder = parent.resolve("deep/er");
    AtomicFolder.write(folder, text("old"));
    Files.writeString(folder.resolve("more"), "old");
    AtomicFolder.write(folder, text("new"));
    assertThat(folder.toFile().list()).containsExactly("text");
    assertThat(folder.resolve("text")).hasContent("new");
    assertThat(folder.getParent().toFile().list()).containsExactly("er");
  }

  @Test
  void aFailureWhileItIsFilledLeavesTheOldFolder() {
    Path folder = parent.resolve("folder");
    AtomicFolder.write(folder, text("old"));
    assertThatThrownBy(
            () ->
                AtomicFolder.write(
                    folder,
                    made -> {
                      text("half").writeTo(made);
                      throw new IOException("No space left on device");
                    }))
        .isInstanceOf(ResourceException.class)
        .hasMessage("cannot write " + folder + ": no space left on device");
    assertThat(folder.resolve("text")).hasContent("old");
    assertThat(parent.toFile().list()).containsExactly("folder");
  }

  /** What was made is gone when it is to be renamed; by then the old one has been set aside. */
  @Test
  void aFailureOfTheLastRenamePutsTheOldFolderBack() {
    Path folder = parent.resolve("folder");
    AtomicFolder.write(folder, text("old"));
    assertThatThrownBy(() -> AtomicFolder.write(folder, Files::delete))
        .isInstanceOf(ResourceException.class)
        .hasMessage("cannot write " + folder + ": no such file");
    assertThat(folder.resolve("text")).hasContent("old");
    assertThat(parent.toFile().list()).containsExactly("folder");
  }

  @Test
  void whatAKilledProcessLeftIsPutRight() throws IOException {
    Path folder = parent.resolve("folder");
    Path aside = Files.createDirectory(parent.resolve(".folder.old"));
    Path half = Files.createDirectory(parent.resolve(".folder.tmp"));
    Files.writeString(aside.resolve("text"), "old");
    Files.writeString(half.resolve("text"), "half");
    AtomicFolder.removeRemains(folder);
    assertThat(folder.resolve("text")).hasContent("old");
    assertThat(parent.toFile().list()).containsExactly("folder");
    Files.createDirectory(aside);
    AtomicFolder.removeRemains(folder); // killed after the new one was in place
    assertThat(folder.resolve("text")).hasContent("old");
    assertThat(parent.toFile().list()).containsExactly("folder");
  }
}
