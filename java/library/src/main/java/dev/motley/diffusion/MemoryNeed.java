// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import com.sun.management.OperatingSystemMXBean;
import dev.motley.Precision;
import dev.motley.ResourceException;
import dev.motley.weights.Part;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether the memory there is takes a model, asked before any of it is loaded: the system grants what it lacks, and then ends processes. */
final class MemoryNeed {
  private static final Path MEMINFO = Path.of("/proc/meminfo");
  private static final Pattern AVAILABLE = Pattern.compile("(?m)^MemAvailable:\\s+(\\d{1,15}) kB$");
  private static final long KIB = 1 << 10;
  private static final double GIB = 1L << 30;

  /** Tables, packed edges and the prompts' share, on top of the weights themselves. */
  private static final double OVERHEAD = 1.1;

  private MemoryNeed() {}

  /** Bytes that the networks take in memory, by the shapes of their tensors. */
  static long bytes(List<Part> parts, Precision precision) {
    int each = precision == Precision.FP32 ? Float.BYTES : Float.BYTES / 2;
    return (long) (OVERHEAD * each * parts.stream().mapToLong(Part::parameters).sum());
  }

  /** Bytes that a process may have: what is free or can be freed, within a container's limit. */
  static long available() {
    long limit = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    try {
      Matcher line = AVAILABLE.matcher(Files.readString(MEMINFO));
      return line.find() ? Math.min(limit, KIB * Long.parseLong(line.group(1))) : limit;
    } catch (IOException e) {
      return limit; // not Linux
    }
  }

  /**
   * Refuses a model that does not fit.
   *
   * @param parts of it that are to be loaded
   * @throws ResourceException with both numbers and a remedy
   */
  static void require(Path model, List<Part> parts, Precision precision) {
    require(model, bytes(parts, precision), available(), precision);
  }

  static void require(Path model, long needed, long available, Precision precision) {
    if (needed > available) {
      throw new ResourceException(
          "%s: its weights take about %.1f GiB of memory in %s, %.1f GiB are available%s"
              .formatted(
                  model,
                  needed / GIB,
                  precision.id(),
                  available / GIB,
                  precision == Precision.FP32 ? "; --precision bf16 or fp16 halves that" : ""));
    }
  }
}
