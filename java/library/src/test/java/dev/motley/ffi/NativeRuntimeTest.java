// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.NativeException;
import dev.motley.ResourceException;
import dev.motley.testing.Jvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NativeRuntimeTest {

  @Test
  void tellsWhatItRunsOn() {
    NativeInfo info = NativeRuntime.info();
    assertThat(info.apiVersion()).matches("\\d+\\.\\d+");
    assertThat(info.libtorchVersion()).matches("2\\.\\d+\\.\\d+");
    assertThat(info.library()).exists();
    assertThat(Files.isRegularFile(info.libtorchFolder().resolve("libtorch_cpu.so"))).isTrue();
    assertThat(info.cpu()).isNotBlank();
    assertThat(info.isa()).isIn("scalar", "avx2", "avx512", "avx512_bf16", "amx");
    assertThat(info.threads()).isPositive();
    assertThat(info.cuda()).isNotBlank();
  }

  @Test
  void changesThreadsAndInstructionSet() {
    NativeInfo before = NativeRuntime.info();
    try {
      NativeRuntime.configure(1, NativeRuntime.Isa.SCALAR);
      assertThat(NativeRuntime.info().threads()).isEqualTo(1);
      assertThat(NativeRuntime.info().isa()).isEqualTo("scalar");
    } finally {
      NativeRuntime.configure(before.threads(), NativeRuntime.Isa.AUTO);
    }
    assertThat(NativeRuntime.info()).isEqualTo(before);
  }

  @Test
  void threadsChangeAlone() {
    NativeInfo before = NativeRuntime.info();
    try {
      NativeRuntime.configure(1, NativeRuntime.Isa.SCALAR);
      NativeRuntime.useThreads(3);
      assertThat(NativeRuntime.info().threads()).isEqualTo(3);
      assertThat(NativeRuntime.info().isa()).isEqualTo("scalar");
    } finally {
      NativeRuntime.configure(before.threads(), NativeRuntime.Isa.AUTO);
    }
  }

  @Test
  void aContainersShareBoundsTheThreadsThatNobodyAskedFor() {
    assertThat(NativeRuntime.usualThreads(0, false, 64, 2)).as("64 CPUs, of which two's time").isEqualTo(2);
    assertThat(NativeRuntime.usualThreads(0, false, 4, 8)).as("libtorch leaves hyper-threads out").isEqualTo(4);
    assertThat(NativeRuntime.usualThreads(16, false, 16, 2)).as("-Dmotley.threads").isEqualTo(16);
    assertThat(NativeRuntime.usualThreads(0, true, 16, 2)).as("OMP_NUM_THREADS").isEqualTo(16);
  }

  /** ActiveProcessorCount stands for the quota that the JVM reads from a container's cgroup. */
  @Test
  void aProcessBeginsWithThatManyThreads() throws Exception {
    assertThat(threadsOf(Map.of(), "-XX:ActiveProcessorCount=1")).isEqualTo(1);
    assertThat(threadsOf(Map.of("OMP_NUM_THREADS", "3"), "-XX:ActiveProcessorCount=1")).isEqualTo(3);
    assertThat(threadsOf(Map.of("OMP_NUM_THREADS", "3"), "-XX:ActiveProcessorCount=1", "-Dmotley.threads=5")).isEqualTo(5);
  }

  private static int threadsOf(Map<String, String> environment, String... options) throws Exception {
    Jvm.Result result = Jvm.run(PrintThreads.class, environment, options);
    assertThat(result.exitCode()).as(result.output()).isZero();
    return Integer.parseInt(result.output().strip());
  }

  static final class PrintThreads {
    public static void main(String[] args) {
      System.out.println(NativeRuntime.info().threads());
    }
  }

  @Test
  void refusesNoThreads() {
    assertThatThrownBy(() -> NativeRuntime.configure(0, NativeRuntime.Isa.AUTO))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("threads is 0, expected 1");
  }

  @Test
  void handshakeNamesBothVersionsAndTheFix() {
    Path library = Path.of("libmotley.so");
    assertThatCode(() -> NativeRuntime.checkVersion(Header.API_VERSION, library))
        .doesNotThrowAnyException();
    assertThatCode(() -> NativeRuntime.checkVersion(Header.API_VERSION + 1, library))
        .doesNotThrowAnyException();
    assertThatThrownBy(() -> NativeRuntime.checkVersion(Header.API_VERSION + 1000, library))
        .isInstanceOf(NativeException.class)
        .hasMessageContainingAll("libmotley.so", version(Header.API_VERSION + 1000), version(Header.API_VERSION), "./motley");
  }

  @Test
  void everyStatusHasItsException() {
    assertThat(Native.exception(Header.INVALID_ARGUMENT, "m"))
        .isExactlyInstanceOf(InvalidInputException.class)
        .hasMessage("m");
    assertThat(Native.exception(Header.OUT_OF_MEMORY, "m"))
        .isExactlyInstanceOf(ResourceException.class);
    assertThat(Native.exception(Header.UNAVAILABLE, "m"))
        .isExactlyInstanceOf(ResourceException.class);
    assertThat(Native.exception(Header.CANCELLED, "m"))
        .isExactlyInstanceOf(CancelledException.class);
    assertThat(Native.exception(Header.INTERNAL, "m")).isExactlyInstanceOf(NativeException.class);
  }

  private static String version(int api) {
    return api / 1000 + "." + api % 1000;
  }
}
