// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.testing.Shared;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** Every numeric option of every command refuses what makes no sense: one line that names it, before anything is written. */
class NumericOptionsTest {

  /** What each may not be; what no option takes is tried with all. */
  private static final Map<String, List<String>> WRONG =
      Map.ofEntries(
          Map.entry("--batch", List.of("0", "-1", "99999999999")),
          Map.entry("--checkpoint-seconds", List.of("-1")),
          Map.entry("--clip-norm", List.of("-0.1", "1000001")),
          Map.entry("--count", List.of("0", "-1")),
          Map.entry("--crop-scale", List.of("0", "-0.1", "1.1")),
          Map.entry("--data-seed", List.of("1.5")),
          Map.entry("--ema", List.of("-0.1", "1")),
          Map.entry("--epochs", List.of("0", "-1")),
          Map.entry("--eta", List.of("-0.1", "2")),
          Map.entry("--guidance", List.of("-1", "101")),
          Map.entry("--height", List.of("0", "-8")),
          Map.entry("--held-out", List.of("-1")),
          Map.entry("--image-size", List.of("0", "-1")),
          Map.entry("--images", List.of("0", "-40", "41")),
          Map.entry("--label-smoothing", List.of("-0.1", "1")),
          Map.entry("--learning-rate", List.of("0", "-1", "11")),
          Map.entry("--list", List.of("-1")),
          Map.entry("--max-per-class", List.of("-1")),
          Map.entry("--mixup", List.of("-0.1", "1001")),
          Map.entry("--per-class", List.of("0", "-1")),
          Map.entry("--preview-every", List.of("0", "-1")),
          Map.entry("--rate", List.of("0", "-1")),
          Map.entry("--repeat", List.of("0", "-1")),
          Map.entry("--seed", List.of("1.5")),
          Map.entry("--size", List.of("0", "-8")),
          Map.entry("--steps", List.of("0", "-1")),
          Map.entry("--stored-size", List.of("-1")),
          Map.entry("--strength", List.of("0", "-0.5", "1.1")),
          Map.entry("--threads", List.of("0", "-1", "1025")),
          Map.entry("--warmup-epochs", List.of("-1")),
          Map.entry("--weight-decay", List.of("-0.1", "101")),
          Map.entry("--width", List.of("0", "-8")));

  private static final List<String> NO_NUMBER = List.of("NaN", "many", "");

  private static final Set<Class<?>> NUMBERS =
      Set.of(int.class, long.class, float.class, double.class, Integer.class, Long.class, Double.class);

  private final StringWriter err = new StringWriter();

  @TempDir private Path folder;

  @BeforeAll
  static void findTheModels() {
    System.setProperty("motley.home", Shared.repository().toString());
  }

  private static CommandLine commands(StringWriter err) {
    return Main.commandLine(
        new Context(new PrintWriter(new StringWriter(), true), new PrintWriter(err, true), new Cancellation()));
  }

  private static Stream<OptionSpec> numeric(CommandLine command) {
    return command.getCommandSpec().options().stream()
        .filter(o -> Stream.of(o.auxiliaryTypes()).anyMatch(NUMBERS::contains));
  }

  static List<Arguments> wrong() {
    var all = new ArrayList<Arguments>();
    commands(new StringWriter())
        .getSubcommands()
        .forEach(
            (name, command) ->
                numeric(command)
                    .forEach(
                        option -> {
                          String flag = option.longestName();
                          Stream.concat(WRONG.getOrDefault(flag, List.of()).stream(), NO_NUMBER.stream())
                              .forEach(value -> all.add(Arguments.of(name, flag, value)));
                        }));
    return all;
  }

  @Test
  void everyNumericOptionIsTried() {
    var flags = new TreeSet<String>();
    commands(new StringWriter())
        .getSubcommands()
        .values()
        .forEach(command -> numeric(command).map(OptionSpec::longestName).forEach(flags::add));
    assertThat(flags).isEqualTo(new TreeSet<>(WRONG.keySet()));
  }

  @ParameterizedTest(name = "{0} {1}={2}")
  @MethodSource("wrong")
  void nonsenseIsOneLineThatNamesTheOption(String command, String flag, String value) throws IOException {
    CommandLine commands = commands(err);
    var args = new ArrayList<>(List.of(command, flag + "=" + value));
    for (OptionSpec option : commands.getSubcommands().get(command).getCommandSpec().options()) {
      required(option).ifPresent(text -> args.add(option.longestName() + "=" + text));
    }
    if (command.equals("predict") || command.equals("again")) {
      args.add(folder.toString());
    }
    assertThat(commands.execute(args.toArray(String[]::new))).isEqualTo(Exit.USAGE.code());
    List<String> lines = err.toString().lines().filter(line -> line.startsWith("motley: ")).toList();
    assertThat(lines).hasSize(1);
    assertThat(lines.getFirst()).contains(flag).containsAnyOf("expected", "must be", "is not a").contains(value);
    assertThat(err.toString()).doesNotContain("\tat ");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).isEmpty();
    }
  }

  private Optional<String> required(OptionSpec option) {
    return switch (option.longestName()) {
      case "--out" -> Optional.of(folder.resolve("out.png").toString());
      case "--prompt" -> Optional.of("a shirt");
      case "--data" -> Optional.of(folder.resolve("store").toString());
      default -> option.required() ? Optional.of(folder.resolve("model.safetensors").toString()) : Optional.empty();
    };
  }
}
