// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.OperatingSystemMXBean;
import dev.motley.Precision;
import dev.motley.ResourceException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class MemoryNeedTest {
  private static final long GIB = 1L << 30;

  @Test
  void tooLittleMemoryIsSaidBefore() {
    Path model = Path.of("model");
    MemoryNeed.require(model, GIB, GIB, Precision.BF16);
    assertThatThrownBy(() -> MemoryNeed.require(model, 4 * GIB, 3 * GIB, Precision.FP16)).hasMessageEndingWith("3.0 GiB are available");
    assertThatThrownBy(() -> MemoryNeed.require(model, 4 * GIB, 3 * GIB, Precision.FP32))
        .isInstanceOf(ResourceException.class)
        .hasMessage(
            "model: its weights take about 4.0 GiB of memory in fp32, 3.0 GiB are available; --precision bf16 or fp16 halves that");
  }

  @Test
  void whatIsAvailableIsSomeOfWhatTheMachineHas() {
    long total = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    assertThat(MemoryNeed.available()).isBetween(1L, total);
  }
}
