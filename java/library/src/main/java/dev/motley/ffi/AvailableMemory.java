// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Memory that this process can still have: what is free, or holds nothing but pages of files that can be read again. A container may have
 * less of it than its machine: its limit, less what its processes hold.
 *
 * @param proc the folder of the kernel's process information
 * @param groups the folder of the control groups
 * @param total bytes of the machine, or of the container where there is one
 */
public record AvailableMemory(Path proc, Path groups, long total) {
  private static final Pattern AVAILABLE = Pattern.compile("(?m)^MemAvailable:\\s+(\\d{1,15}) kB$");
  private static final Pattern GROUP = Pattern.compile("(?m)^\\d+:([^:\\n]*):/(.*)$");
  private static final long KIB = 1 << 10;

  /** How the two versions of control groups name the same: the folder, limit, use, and what of the use can be given back. */
  private record Names(String folder, String limit, String use, List<String> reclaimable) {}

  private static final Names SECOND =
      new Names("", "memory.max", "memory.current", List.of("inactive_file", "active_file", "slab_reclaimable"));
  private static final Names FIRST =
      new Names("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", List.of("total_inactive_file", "total_active_file"));

  /** Of this process, in bytes. */
  public static long bytes() {
    long total = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    return new AvailableMemory(Path.of("/proc"), Path.of("/sys/fs/cgroup"), total).available();
  }

  /** In bytes; all of the memory where nothing more is known, as on other systems than Linux. */
  long available() {
    Matcher free = AVAILABLE.matcher(text(proc.resolve("meminfo")));
    long machine = free.find() ? KIB * Long.parseLong(free.group(1)) : total;
    Matcher group = GROUP.matcher(text(proc.resolve("self/cgroup")));
    long least = Math.min(total, machine);
    while (group.find()) {
      if (group.group(1).isEmpty()) {
        least = Math.min(least, room(SECOND, group.group(2)));
      } else if (List.of(group.group(1).split(",")).contains("memory")) {
        least = Math.min(least, room(FIRST, group.group(2)));
      }
    }
    return Math.max(0, least);
  }

  /** Of a group and all that it lies in; a container sees those from its own upwards, under names that may not be its machine's. */
  private long room(Names names, String group) {
    Path top = groups.resolve(names.folder());
    long least = Long.MAX_VALUE;
    for (Path folder = top.resolve(group).normalize(); folder.startsWith(top); folder = folder.getParent()) {
      OptionalLong limit = number(text(folder.resolve(names.limit())));
      OptionalLong use = number(text(folder.resolve(names.use())));
      if (limit.isPresent() && use.isPresent()) {
        String statistics = text(folder.resolve("memory.stat"));
        long files = names.reclaimable().stream().mapToLong(name -> statistic(statistics, name)).sum();
        least = Math.min(least, limit.getAsLong() - Math.max(0, use.getAsLong() - files));
      }
    }
    return least;
  }

  private static long statistic(String statistics, String name) {
    return statistics
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToLong(line -> number(line.substring(name.length())).orElse(0))
        .findFirst()
        .orElse(0);
  }

  /** Empty for {@code max}, which is no limit, and where there is no such file. */
  private static OptionalLong number(String text) {
    try {
      return OptionalLong.of(Long.parseLong(text.strip()));
    } catch (NumberFormatException e) {
      return OptionalLong.empty();
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return "";
    }
  }
}
