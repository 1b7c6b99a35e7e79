// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.onnx.OnnxExport;
import dev.motley.train.Classifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code motley export}. */
@Command(
    name = "export",
    mixinStandardHelpOptions = true,
    description = "Writes a trained classifier for other programs: as ONNX, or its weights as safetensors by torchvision's names.",
    footer = {"", "Example: ./motley export --model runs/clothes-resnet50 --out clothes.onnx"})
final class ExportCommand implements Callable<Integer> {
  private final Context context;

  @Option(names = "--model", required = true, paramLabel = "FILE", description = "model.safetensors of a training, or its folder.")
  private Path model;

  @Option(names = "--out", required = true, paramLabel = "FILE", description = "The file to write; .onnx or .safetensors tells which.")
  private Path out;

  ExportCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    String name = out.toString().toLowerCase(Locale.ROOT);
    if (!name.endsWith(".onnx") && !name.endsWith(".safetensors")) {
      throw new InvalidInputException("--out must end in .onnx or .safetensors, got " + out);
    }
    if (Files.isDirectory(out)) {
      throw new InvalidInputException(out + " is a folder: --out must name a file");
    }
    try (Classifier classifier = Classifier.load(model, Precision.FP32)) {
      if (name.endsWith(".onnx")) {
        OnnxExport.write(classifier, out);
      } else {
        classifier.save(out);
      }
    }
    context.out().println(out);
    return 0;
  }
}
