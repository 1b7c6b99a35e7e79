// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.InvalidInputException;
import dev.motley.run.RunConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code motley demo}: the paper's finding, small. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description = {
      "Tries the paper's finding on the embedded model: the more diverse of two synthetic sets trains the better classifier.",
      "Draws both, trains a ResNet50 on each, tests them on real images, and writes a report: about 5 minutes on two cores."
    },
    footer = {"", "Example: ./motley demo --out runs/demo"})
final class DemoCommand implements Callable<Integer> {
  private static final int CLASSES = 10;

  private final Context context;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "runs/demo",
      description = "Folder for everything the demo makes. Default: ${DEFAULT-VALUE}.")
  private Path out;

  @Option(
      names = "--images",
      paramLabel = "N",
      defaultValue = "1000",
      converter = Numbers.Positive.class,
      description = "Images in each set, a multiple of 40. Default: ${DEFAULT-VALUE}.")
  private int images;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      defaultValue = "20",
      converter = Numbers.Positive.class,
      description = "Passes over each set. Default: ${DEFAULT-VALUE}.")
  private int epochs;

  @Option(names = "--seed", paramLabel = "N", defaultValue = "0", converter = Numbers.Seed.class, description = "Of images and training. Default: ${DEFAULT-VALUE}.")
  private long seed;

  DemoCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    RunCommand.execute(context, config(images, epochs, seed), out);
    return 0;
  }

  /** The demo as a run config: nothing in it that 'motley run' could not do. */
  static RunConfig config(int images, int epochs, long seed) {
    if (images < 4 * CLASSES || images % (4 * CLASSES) != 0) {
      throw new InvalidInputException(
          "--images must be a multiple of 40 (ten classes, four tricks), got " + images);
    }
    return RunConfig.of(
        Map.of(
            "title", "Clothes: one prompt per class against all tricks combined",
            "sets",
                List.of(
                    set("Base class", "One prompt per class at guidance 7.5.", "base-class", images, seed),
                    set(
                        "All tricks combined",
                        "A quarter each of base class, class prompt, multi-domain and random guidance.",
                        "all-combined",
                        images,
                        seed)),
            "recipe", Map.of("preset", "quick", "epochs", epochs, "seed", seed)),
        Home.embedded());
  }

  private static Map<String, Object> set(String name, String description, String tricks, int images, long seed) {
    var plan = new LinkedHashMap<String, Object>();
    plan.put("classes", "fashion-mnist");
    plan.put("tricks", tricks);
    plan.put("per-class", images / CLASSES);
    plan.put("budget", "equal");
    plan.put("sampling", Map.of("seed", seed));
    return Map.of("name", name, "description", description, "plan", plan);
  }
}
