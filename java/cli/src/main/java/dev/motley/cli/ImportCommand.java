// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.InvalidInputException;
import dev.motley.Normalisation;
import dev.motley.Precision;
import dev.motley.Stem;
import dev.motley.train.Classifier;
import dev.motley.train.ClassifierImport;
import dev.motley.train.ClassifierSpec;
import dev.motley.tricks.ClassList;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code motley import}. */
@Command(
    name = "import",
    mixinStandardHelpOptions = true,
    description = "Takes over a classifier trained with PyTorch, by the names of torchvision and the like.",
    footer = {"", "Example: ./motley import r.pth --architecture resnet50 --classes cifar10 --image-size 32 --out r.st"})
final class ImportCommand implements Callable<Integer> {
  private final Context context;

  @Parameters(paramLabel = "WEIGHTS", description = "A state dict: .safetensors, .pth, .pt or .bin.")
  private Path weights;

  @Option(
      names = "--architecture",
      required = true,
      paramLabel = "NAME",
      completionCandidates = Architectures.class,
      description = "One of ${COMPLETION-CANDIDATES}.")
  private String architecture;

  @Option(
      names = "--classes",
      required = true,
      paramLabel = "LIST",
      description = "What the logits stand for: a built-in list such as cifar10, or a text file with one name a line.")
  private String classes;

  @Option(
      names = "--image-size",
      required = true,
      paramLabel = "N",
      converter = Numbers.Positive.class,
      description = "Height and width of the images that it takes, in pixels.")
  private int imageSize;

  @Option(
      names = "--normalisation",
      paramLabel = "imagenet|unit",
      defaultValue = "imagenet",
      description = "Of its input: imagenet's mean and deviation, or unit: pixels in [0, 1] as they are. Default: ${DEFAULT-VALUE}.")
  private String normalisation;

  @Option(
      names = "--stem",
      paramLabel = "imagenet|cifar",
      defaultValue = "imagenet",
      description = "How a ResNet begins: 7x7 and a maximum, or 3x3 alone. Default: ${DEFAULT-VALUE}.")
  private String stem;

  @Option(names = "--out", required = true, paramLabel = "FILE", description = "The classifier to write, as safetensors.")
  private Path out;

  ImportCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    var spec = new ClassifierSpec(architecture, imageSize, names(), Normalisation.named(normalisation), Stem.named(stem));
    if (Files.isDirectory(out)) {
      throw new InvalidInputException(out + " is a folder: --out must name a file");
    }
    try (Classifier classifier = ClassifierImport.read(weights, spec, Precision.FP32)) {
      classifier.save(out);
    }
    context.out().println(out);
    return 0;
  }

  private List<String> names() {
    Path file = Path.of(classes);
    return Files.isRegularFile(file) ? ClassList.read(file).labels() : ClassList.preset(classes).labels();
  }
}
