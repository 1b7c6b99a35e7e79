// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AvailableMemoryTest {
  private static final long GIB = 1L << 30;
  private static final long MIB = 1L << 20;

  @TempDir Path folder;

  @Test
  void whatIsAvailableIsSomeOfWhatTheMachineHas() {
    long total = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    assertThat(AvailableMemory.bytes()).isBetween(1L, total);
  }

  private void write(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private long available() {
    return new AvailableMemory(folder.resolve("proc"), folder.resolve("groups"), 64 * GIB).available();
  }

  @Test
  void whatTheMachineHasLeftIsAvailable() throws IOException {
    assertThat(available()).isEqualTo(64 * GIB); // nothing is known
    write("proc/meminfo", "MemTotal: 99999999 kB\nMemFree:  1024 kB\nMemAvailable:    2048 kB\n");
    assertThat(available()).isEqualTo(2 * MIB);
  }

  @Test
  void aContainerHasItsLimitLessWhatItHolds() throws IOException {
    write("proc/self/cgroup", "0::/pod/own\n");
    write("groups/pod/own/memory.max", "max\n");
    write("groups/pod/own/memory.current", "" + 3 * GIB);
    write("groups/pod/memory.max", "" + 4 * GIB + "\n");
    write("groups/pod/memory.current", "" + 3 * GIB + "\n");
    assertThat(available()).isEqualTo(GIB);
    write("groups/pod/memory.stat", "anon 5\nfile %d\ninactive_file %d\nactive_file %d\n".formatted(2 * GIB, GIB, GIB / 2));
    assertThat(available()).as("pages of files can be given back").isEqualTo(GIB + GIB + GIB / 2);
    write("groups/pod/memory.max", "" + GIB + "\n");
    assertThat(available()).as("over its limit").isZero();
  }

  /** In the first version, and by a name that only its machine knows. */
  @Test
  void aContainerOfTheFirstVersionToo() throws IOException {
    write("proc/self/cgroup", "5:cpu,cpuacct:/docker/ab\n4:memory:/docker/ab\n0::/\n");
    write("groups/memory/memory.limit_in_bytes", "" + 4 * GIB + "\n");
    write("groups/memory/memory.usage_in_bytes", "" + 3 * GIB + "\n");
    write("groups/memory/memory.stat", "inactive_file 7\ntotal_inactive_file %d\n".formatted(GIB));
    assertThat(available()).isEqualTo(2 * GIB);
    write("groups/memory/memory.limit_in_bytes", "9223372036854771712\n"); // none
    assertThat(available()).isEqualTo(64 * GIB);
  }
}
