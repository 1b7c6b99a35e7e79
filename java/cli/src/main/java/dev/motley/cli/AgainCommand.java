// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.InvalidInputException;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.diffusion.Drawing;
import dev.motley.diffusion.PictureParameters;
import dev.motley.diffusion.PictureTexts;
import dev.motley.image.Difference;
import dev.motley.image.Png;
import dev.motley.image.RgbImage;
import dev.motley.weights.Ema;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code motley again}. */
@Command(
    name = "again",
    mixinStandardHelpOptions = true,
    description = {
      "Draws a picture again from what its PNG texts say, and compares: one of sample, a contact sheet, or one of a data set.",
      "Prints the new file and 'identical', or how many of the values differ and by how much at most."
    },
    footer = {"", "Example: ./motley again runs/dress.png"})
final class AgainCommand implements Callable<Integer> {
  private static final int SHOWN_DIGITS = 16;

  private final Context context;

  @Parameters(paramLabel = "IMAGE.png", description = "The picture.")
  private Path image;

  @Option(
      names = "--model",
      paramLabel = "PATH",
      description = "Where its model is now. Default: where it was, or the embedded model of clothes.")
  private Optional<Path> model = Optional.empty();

  @Option(
      names = "--ema",
      negatable = true,
      description = "The UNet's averaged weights, or with --no-ema the others. Default: as the picture was drawn.")
  private Optional<Boolean> averaged = Optional.empty();

  @Option(names = "--image", paramLabel = "FILE", description = "Where the picture that it began from is now. Default: where it was.")
  private Optional<Path> begin = Optional.empty();

  @Option(names = "--force", description = "Draw with another model, or from another picture, all the same.")
  private boolean force;

  @Option(
      names = "--batch",
      paramLabel = "N",
      converter = Numbers.Positive.class,
      description = "Pictures of a sheet drawn together, which does not change them. Default: 1 at 512x512, more of smaller ones.")
  private Optional<Integer> batch = Optional.empty();

  @Option(names = "--out", paramLabel = "FILE.png", description = "Where to write it. Default: beside IMAGE.png, as IMAGE-again.png.")
  private Optional<Path> out = Optional.empty();

  AgainCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    byte[] bytes = BeginPicture.bytes(image);
    PictureParameters recorded = PictureTexts.read(image.toString(), Png.texts(image.toString(), bytes));
    RgbImage original = Png.decode(image.toString(), bytes);
    Path target = out.orElseGet(this::besideTheImage);
    PictureFile.requireName("--out", target);
    if (target.toAbsolutePath().normalize().equals(image.toAbsolutePath().normalize())) {
      throw new InvalidInputException("--out names the picture itself: " + target);
    }
    Optional<BeginPicture> from = recorded.begin().map(this::begin);
    try (DiffusionPipeline pipeline = load(recorded)) {
      PictureParameters p =
          recorded.with(model(recorded.model(), pipeline)).with(from.map(BeginPicture::begin));
      int together = batch.orElse(Drawing.usualBatch(p.sampling().width(), p.sampling().height()));
      var drawing = new Drawing(pipeline, together, from.map(BeginPicture::picture));
      RgbImage picture = context.work(progress -> drawing.draw(p, progress::onProgress));
      PictureFile.write(target, picture, p);
      context.out().println(target + "\t" + difference(original, picture));
    }
    return 0;
  }

  private Path besideTheImage() {
    String name = image.getFileName().toString();
    String stem = name.endsWith(".png") ? name.substring(0, name.length() - ".png".length()) : name;
    return image.resolveSibling(stem + "-again.png");
  }

  private BeginPicture begin(PictureParameters.Begin recorded) {
    Path file = begin.orElse(Path.of(recorded.path()));
    if (begin.isEmpty() && !Files.exists(file)) {
      throw new InvalidInputException(
          "%s: the picture it began from, %s, is not there; say by --image where it is".formatted(image, file));
    }
    BeginPicture read = BeginPicture.read(file);
    if (!read.begin().sha256().equals(recorded.sha256()) && !force) {
      throw new InvalidInputException(
          "%s: began from a picture with SHA-256 %s, %s has %s; give the right one by --image, or --force"
              .formatted(image, shown(recorded.sha256()), file, shown(read.begin().sha256())));
    }
    return read;
  }

  private Path path(PictureParameters.Model recorded) {
    return model.or(() -> recorded.path().map(Path::of)).orElseGet(Home::model);
  }

  private Ema ema(PictureParameters.Model recorded) {
    return averaged.isPresent() ? ConvertCommand.ema(averaged) : recorded.ema();
  }

  private DiffusionPipeline load(PictureParameters picture) {
    PictureParameters.Model recorded = picture.model();
    Path path = path(recorded);
    if (model.isEmpty() && !Files.exists(path)) {
      throw new InvalidInputException("%s: its model, %s, is not there; say by --model where it is".formatted(image, path));
    }
    return context.work(
        listener ->
            DiffusionPipeline.load(path, recorded.precision(), ema(recorded), false, List.of(picture.sampling()), listener));
  }

  /** What really draws; refuses another model than the recorded one. */
  private PictureParameters.Model model(PictureParameters.Model recorded, DiffusionPipeline pipeline) {
    if (!pipeline.modelHash().equals(recorded.hash()) && !force) {
      throw new InvalidInputException(
          "%s: was drawn by model %s, %s is %s; give its own by --model, or --force"
              .formatted(image, shown(recorded.hash()), path(recorded), shown(pipeline.modelHash())));
    }
    Optional<String> path = model.map(Path::toString).or(recorded::path);
    return new PictureParameters.Model(pipeline.modelHash(), path, ema(recorded), recorded.precision());
  }

  private static String shown(String hash) {
    return hash.length() > SHOWN_DIGITS ? hash.substring(0, SHOWN_DIGITS) + "..." : hash;
  }

  private static String difference(RgbImage original, RgbImage drawn) {
    if (original.width() != drawn.width() || original.height() != drawn.height()) {
      return "another size: %dx%d, the picture has %dx%d"
          .formatted(drawn.width(), drawn.height(), original.width(), original.height());
    }
    return Difference.of(original, drawn).toString();
  }
}
