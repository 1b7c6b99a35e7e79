// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.MotleyVersion;
import dev.motley.ffi.NativeInfo;
import dev.motley.ffi.NativeRuntime;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code motley info}. */
@Command(
    name = "info",
    mixinStandardHelpOptions = true,
    description = "Tells what Motley runs on: JDK, libtorch, CPU features, CUDA or why there is none.",
    footer = {"", "Example: ./motley info"})
final class InfoCommand implements Callable<Integer> {
  private final Context context;

  InfoCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    PrintWriter out = context.out();
    line(out, "motley", MotleyVersion.current());
    line(out, "java", System.getProperty("java.vm.name") + " " + Runtime.version() + ", " + System.getProperty("java.home"));
    NativeInfo info = NativeRuntime.info();
    line(out, "native core", "API " + info.apiVersion() + ", " + info.library());
    line(out, "libtorch", info.libtorchVersion() + ", " + info.libtorchFolder());
    line(out, "cpu", info.cpu());
    line(out, "features", info.cpuFeatures() + " (kernels use " + info.isa() + ")");
    line(out, "threads", Integer.toString(info.threads()));
    line(out, "architectures", String.join(", ", info.architectures()));
    line(out, "cuda", info.cuda());
    line(out, "embedded model", Home.model().toAbsolutePath().toString());
    out.flush();
    return 0;
  }

  private static void line(PrintWriter out, String name, String value) {
    out.printf("%-16s%s%n", name, value);
  }
}
