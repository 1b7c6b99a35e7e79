// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.testing.Jvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MotleyLibraryTest {

  @TempDir private Path folder;

  @Test
  void unpacksUnderTheHashOfTheContent() throws IOException {
    Path one = unpack("one");
    Path two = unpack("two");
    assertThat(one).isNotEqualTo(two).hasContent("one");
    assertThat(two).hasContent("two");
    assertThat(one.getParent().getFileName().toString()).matches("[0-9a-f]{64}");
    assertThat(unpack("one")).isEqualTo(one);
  }

  @Test
  void replacesADamagedCopy() throws IOException {
    Path file = unpack("content");
    Files.writeString(file, "cont");
    assertThat(unpack("content")).hasContent("content");
    try (var files = Files.list(file.getParent())) {
      assertThat(files).hasSize(1);
    }
  }

  @Test
  void aFolderThatCannotBeWrittenIsAnAttempt() throws IOException {
    Path blocked = Files.writeString(folder.resolve("file"), "");
    List<String> attempts = new ArrayList<>();
    assertThat(MotleyLibrary.unpack(new byte[1], blocked, attempts)).isEmpty();
    assertThat(attempts).singleElement().asString().contains(blocked.toString());
  }

  @Test
  void aWrongLibraryPathIsOneLineThatNamesIt() throws Exception {
    Jvm.Result result = Jvm.run(Info.class, "-Dmotley.library.path=" + folder.resolve("nowhere"));
    assertThat(result.output())
        .containsOnlyOnce("ResourceException: cannot load libmotley.so")
        .contains(folder.resolve("nowhere").toString(), "-Dmotley.library.path=DIR");
  }

  @Test
  void aFileThatIsNoLibraryIsTold() throws Exception {
    Path broken = Files.writeString(folder.resolve("libmotley.so"), "no ELF");
    Jvm.Result result = Jvm.run(Info.class, "-Dmotley.library.path=" + folder);
    assertThat(result.output()).contains("ResourceException: ", broken.toString());
  }

  @Test
  void aFolderWithoutLibtorchIsTold() throws Exception {
    Jvm.Result result = Jvm.run(Info.class, "-Dmotley.libtorch=" + folder);
    assertThat(result.output())
        .contains("ResourceException: -Dmotley.libtorch=" + folder + " has no libtorch_cpu.so");
  }

  @Test
  void aFileThatIsNoLibtorchIsTold() throws Exception {
    Path broken = Files.writeString(folder.resolve("libtorch_cpu.so"), "no ELF");
    Files.writeString(folder.resolve("libc10.so"), "no ELF");
    assertThat(Jvm.run(Info.class, "-Dmotley.libtorch=" + folder).output())
        .contains("ResourceException: cannot load " + broken);
    for (String name : List.of("libtorch_cpu.so", "libc10.so")) { // a library, but another
      Files.copy(NativeRuntime.info().library(), folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }
    assertThat(Jvm.run(Info.class, "-Dmotley.libtorch=" + folder).output())
        .containsOnlyOnce("ResourceException: symbol ")
        .contains("is missing from " + broken, "libtorch >= 2.10 is needed");
  }

  @Test
  void anotherFolderOfLibtorchIsUsed() throws Exception {
    Path given = NativeRuntime.info().libtorchFolder();
    Path link = Files.createSymbolicLink(folder.resolve("torch"), given);
    assertThat(Jvm.run(Info.class, "-Dmotley.libtorch=" + link).output()).contains("libtorchFolder=" + link);
  }

  /** Prints what the core runs on, or the one exception. */
  static final class Info {
    public static void main(String[] args) {
      try {
        System.out.println(NativeRuntime.info());
      } catch (RuntimeException e) {
        System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
      }
    }
  }

  private Path unpack(String content) {
    List<String> attempts = new ArrayList<>();
    Path file = MotleyLibrary.unpack(content.getBytes(UTF_8), folder, attempts).orElseThrow();
    assertThat(attempts).isEmpty();
    return file;
  }
}
