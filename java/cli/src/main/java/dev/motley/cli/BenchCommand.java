// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.InvalidInputException;
import dev.motley.ffi.NativeRuntime;
import dev.motley.files.AtomicFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code motley bench}. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = "Measures how fast this machine draws with a model, and where the time goes: the same pictures, first once to warm up.",
    footer = {"", "Example: ./motley bench --profile"})
final class BenchCommand implements Callable<Integer> {
  private final Context context;

  @Mixin private ModelOptions model;

  @Option(
      names = "--batch",
      paramLabel = "N",
      converter = Numbers.Positive.class,
      description = "Pictures drawn together. Default: 1 at 512x512, more of smaller ones.")
  private Optional<Integer> batch = Optional.empty();

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "4",
      description = "DDIM steps of a repeat; all take the same time. Default: ${DEFAULT-VALUE}.")
  private int steps;

  @Option(
      names = "--size",
      paramLabel = "WIDTHxHEIGHT",
      converter = PixelSize.Converter.class,
      description = "In pixels. Default: what the model was trained for.")
  private Optional<PixelSize> size = Optional.empty();

  @Option(
      names = "--repeat",
      paramLabel = "N",
      defaultValue = "3",
      converter = Numbers.Positive.class,
      description = "How often to draw the batch after the warm-up. Default: ${DEFAULT-VALUE}.")
  private int repeats;

  @Option(
      names = "--profile",
      description = "Draw once more and print what each kind of layer takes, beside what the machine could do at most.")
  private boolean profile;

  @Option(names = "--json", paramLabel = "FILE", description = "Write everything measured there, too.")
  private Optional<Path> json = Optional.empty();

  BenchCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    if (json.filter(Files::isDirectory).isPresent()) {
      throw new InvalidInputException("--json must name a file, " + json.get() + " is a folder");
    }
    model.requireSteps("--steps", steps);
    PixelSize drawn = size.orElseGet(() -> model.size("--size", Optional.empty(), Optional.empty()));
    var setup = new Benchmark.Setup(model.path(), model.ema(), model.precision(), drawn, batch, steps, repeats, profile);
    Benchmark.Result result = context.work(listener -> Benchmark.run(setup, listener));
    var report = new BenchReport(setup, result, NativeRuntime.info());
    json.ifPresent(file -> AtomicFile.write(file, report.json()));
    report.print(context.out());
    return 0;
  }
}
