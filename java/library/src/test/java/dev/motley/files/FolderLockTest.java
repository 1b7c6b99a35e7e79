// SPDX-License-Identifier: Apache-2.0
package dev.motley.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.motley.InvalidInputException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderLockTest {
  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

  @TempDir private Path folder;

  @Test
  void oneHolderAtATime() {
    FolderLock lock = FolderLock.take(folder);
    assertThatThrownBy(() -> FolderLock.take(folder))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("folder %s is being written by another process; wait for it or stop it", folder);
    lock.close();
    lock.close();
    FolderLock.take(folder).close();
  }

  @Test
  void aLockThatFailsLeavesNothingOpen() throws IOException {
    assumeTrue(Files.isDirectory(DESCRIPTORS), "counts open files as Linux shows them");
    Path file = folder.toRealPath().resolve(FolderLock.FILE);
    try (FileChannel other =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      other.lock(); // past FolderLock, so that the JVM itself refuses a second lock
      assertThatThrownBy(() -> FolderLock.take(folder)).isInstanceOf(OverlappingFileLockException.class);
      assertThat(timesOpen(file)).as("only ours").isEqualTo(1);
    }
    FolderLock.take(folder).close();
    assertThat(timesOpen(file)).isZero();
  }

  private static long timesOpen(Path file) throws IOException {
    try (Stream<Path> descriptors = Files.list(DESCRIPTORS)) {
      return descriptors.filter(d -> leadsTo(d, file)).count();
    }
  }

  private static boolean leadsTo(Path descriptor, Path file) {
    try {
      return Files.readSymbolicLink(descriptor).equals(file);
    } catch (IOException e) {
      return false; // closed since it was listed
    }
  }
}
