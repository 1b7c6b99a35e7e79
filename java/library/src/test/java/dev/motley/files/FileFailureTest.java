// SPDX-License-Identifier: Apache-2.0
package dev.motley.files;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.InvalidInputException;
import dev.motley.MotleyException;
import dev.motley.ResourceException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileFailureTest {

  @TempDir private Path folder;

  private static MotleyException reading(IOException e) {
    return FileFailure.reading(Path.of("a.bin"), e);
  }

  @Test
  void whatJavaSaysAsAPathOrNotAtAllIsSaidInWords() {
    assertThat(FileFailure.reason(new NoSuchFileException("/x"))).isEqualTo("no such file");
    assertThat(FileFailure.reason(new AccessDeniedException("/x"))).isEqualTo("permission denied");
    assertThat(FileFailure.reason(new EOFException())).isEqualTo("the file ends too early");
    assertThat(FileFailure.reason(new IOException())).isEqualTo("IOException");
    assertThat(FileFailure.reason(new MalformedInputException(1))).isEqualTo("not valid UTF-8");
  }

  @Test
  void theSystemsWordsFitIntoASentence() {
    assertThat(FileFailure.reason(new IOException("No space left on device")))
        .isEqualTo("no space left on device");
    assertThat(FileFailure.reason(new FileSystemException("/x", null, "Read-only file system")))
        .isEqualTo("read-only file system");
    assertThat(FileFailure.reason(new IOException("CRC error\nmore"))).isEqualTo("CRC error");
  }

  @Test
  void aFileThatIsNotThereOrNoTextIsTheCallersToCorrect() {
    assertThat(reading(new NoSuchFileException("b/c.bin")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("b/c.bin: no such file");
    assertThat(reading(new MalformedInputException(1)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("a.bin: not valid UTF-8");
    assertThat(reading(new AccessDeniedException("a.bin")))
        .isInstanceOf(ResourceException.class)
        .hasMessage("a.bin: cannot be read: permission denied");
  }

  @Test
  void aFolderInPlaceOfAFileIsNamed() {
    IOException e = new IOException("Is a directory");
    assertThat(FileFailure.reading(folder, e))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(folder + ": is a folder, expected a file");
    assertThat(Files.isDirectory(folder)).isTrue();
  }

  @Test
  void aFolderThatMayNotBeReadIsTheMachinesMatter() {
    Path inside = folder.resolve("dogs");
    assertThat(FileFailure.readingIn(folder, new AccessDeniedException(inside.toString())))
        .isInstanceOf(ResourceException.class)
        .hasMessage(inside + ": cannot be read: permission denied");
    assertThat(FileFailure.readingIn(folder, new NoSuchFileException(inside.toString())))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(inside + ": no such file");
    assertThat(FileFailure.readingIn(folder, new IOException("Input/output error")))
        .isInstanceOf(ResourceException.class)
        .hasMessage(folder + ": cannot be read: input/output error");
  }
}
