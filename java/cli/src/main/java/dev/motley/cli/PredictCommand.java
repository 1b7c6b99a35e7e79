// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.BatchNormMode;
import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.Progress;
import dev.motley.dataset.ImageSet;
import dev.motley.dataset.PictureFolder;
import dev.motley.evaluate.Evaluator;
import dev.motley.evaluate.Prediction;
import dev.motley.ffi.PixelStorage;
import dev.motley.train.Classifier;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code motley predict}. */
@Command(
    name = "predict",
    mixinStandardHelpOptions = true,
    description = "Labels a picture, or all of a folder, with a trained classifier: one line each, file, class, probability.",
    footer = {"", "Example: ./motley predict --model runs/clothes-resnet50/model.safetensors runs/dress.png"})
final class PredictCommand implements Callable<Integer> {
  private final Context context;

  @Option(names = "--model", required = true, paramLabel = "FILE", description = "model.safetensors of a training, or its folder.")
  private Path model;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "" + Evaluator.DEFAULT_BATCH,
      converter = Numbers.Positive.class,
      description = "Images per pass. Default: ${DEFAULT-VALUE}.")
  private int batch;

  @Parameters(paramLabel = "PICTURES", description = "A folder of PNG and JPEG files, or one; resized to the classifier's size.")
  private Path folder;

  PredictCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    try (Classifier classifier = Classifier.load(model, Precision.FP32);
        PictureFolder pictures = PictureFolder.read(folder, classifier.spec().pictureSize(), PixelStorage.standard())) {
      for (String unreadable : pictures.unreadable()) {
        context.err().println("motley: skipped, not a readable picture: " + unreadable);
      }
      if (pictures.files().isEmpty()) {
        throw new InvalidInputException(folder + " has no picture that can be read");
      }
      ImageSet images = pictures.images(classifier.spec().classNames());
      float[] logits =
          context.work(
              listener ->
                  classifier.logits(images, batch, BatchNormMode.RUNNING, test -> listener.onProgress(ofPrediction(test))));
      List<String> names = classifier.spec().classNames();
      List<Prediction> predictions = Prediction.all(names.size(), logits);
      for (int i = 0; i < images.count(); i++) {
        Prediction prediction = predictions.get(i);
        context
            .out()
            .printf(
                "%s\t%s\t%.4f%n", pictures.files().get(i), names.get(prediction.label()), prediction.confidence());
      }
      context.out().flush();
    }
    return 0;
  }

  private static Progress ofPrediction(Progress test) {
    return new Progress("predict", test.done(), test.total(), test.resumed(), test.unit(), "");
  }
}
