// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.Progress;
import dev.motley.ProgressListener;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.diffusion.Drawing;
import dev.motley.diffusion.ImageRequest;
import dev.motley.diffusion.NoiseGenerator;
import dev.motley.diffusion.PictureParameters;
import dev.motley.diffusion.PictureParameters.Grid;
import dev.motley.diffusion.SamplingOptions;
import dev.motley.image.RgbImage;
import dev.motley.text.ClipTokenizer;
import dev.motley.text.Encoding;
import dev.motley.tricks.GuidanceRule;
import dev.motley.tricks.PlanSpec;
import dev.motley.weights.Checkpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code motley sample}. */
@Command(
    name = "sample",
    mixinStandardHelpOptions = true,
    description = "Draws a picture, a contact sheet or a folder of pictures. Each says in its PNG texts how it was drawn.",
    footer = {
      "",
      "Example: ./motley sample --prompt 'a painting of a dress' --guidance 3 --out runs/dress.png",
      "Example: ./motley sample --prompt 'a coat' --grid 4x4 --preview runs/now.png --out runs/coats.png",
      "Example: ./motley sample --prompt 'a shirt' --image runs/dress.png --count 3 --out runs/shirts"
    })
final class SampleCommand implements Callable<Integer> {
  /** As in CompVis' img2img. */
  private static final double DEFAULT_STRENGTH = 0.75;

  private static final int PREVIEW_EVERY = 5;

  private static final int MOST_FILES = 100_000;

  private final Context context;

  @Mixin private ModelOptions model;

  @Option(
      names = "--prompt",
      required = true,
      paramLabel = "TEXT",
      description = "What the picture shows. Given several times: a row of the sheet, or --count files, for each, with the same seeds.")
  private List<String> prompts = List.of();

  @Option(
      names = "--negative-prompt",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "What it shall not show. Default: nothing.")
  private String negativePrompt;

  @Option(names = "--strict", description = "Refuse a prompt that is too long for the model instead of cutting it with a warning.")
  private boolean strict;

  @Option(names = "--seed", paramLabel = "N", defaultValue = "0", converter = Numbers.Seed.class, description = "Of the noise; later pictures take the next. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--rng",
      paramLabel = "philox|torch",
      defaultValue = "philox",
      description = "torch: the noise that diffusers draws for that seed on a CPU. Default: ${DEFAULT-VALUE}.")
  private NoiseGenerator rng;

  @Option(
      names = "--guidance",
      paramLabel = "X",
      defaultValue = "" + GuidanceRule.COMPVIS_DEFAULT,
      converter = Numbers.Guidance.class,
      description = "From 0 to " + ImageRequest.MAX_GUIDANCE + "; 1 is none. Default: ${DEFAULT-VALUE}.")
  private double guidance;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "" + PlanSpec.PAPER_STEPS,
      description = "DDIM steps. Default: ${DEFAULT-VALUE}.")
  private int steps;

  @Option(
      names = "--eta",
      paramLabel = "X",
      defaultValue = "0",
      converter = Numbers.Eta.class,
      description = "DDIM's eta, from 0 to " + ImageRequest.MAX_ETA + ". Default: ${DEFAULT-VALUE}.")
  private double eta;

  @Option(
      names = "--width",
      paramLabel = "PIXELS",
      converter = Numbers.Positive.class,
      description = "Default: what the model was trained for.")
  private Optional<Integer> width = Optional.empty();

  @Option(
      names = "--height",
      paramLabel = "PIXELS",
      converter = Numbers.Positive.class,
      description = "Default: what the model was trained for.")
  private Optional<Integer> height = Optional.empty();

  @Option(
      names = "--image",
      paramLabel = "FILE",
      description = "A picture to begin from, PNG, JPEG, BMP or GIF, as stored: transparency and orientation marks are ignored; scaled until it fills the size; what lies outside is cut off.")
  private Optional<Path> image = Optional.empty();

  @Option(
      names = "--strength",
      paramLabel = "X",
      converter = Numbers.Share.class,
      description = "How far to leave --image: the part of the steps that is run, up to 1. Default: " + DEFAULT_STRENGTH + ".")
  private Optional<Double> strength = Optional.empty();

  @Option(
      names = "--grid",
      paramLabel = "COLUMNSxROWS",
      converter = Numbers.Shape.class,
      description = "Draw so many pictures onto one sheet.")
  private Optional<Grid> grid = Optional.empty();

  @Option(
      names = "--count",
      paramLabel = "N",
      converter = Numbers.Positive.class,
      description = "Draw so many pictures into a folder, each named by its seed; those that are there already are kept.")
  private Optional<Integer> count = Optional.empty();

  @Option(
      names = "--batch",
      paramLabel = "N",
      converter = Numbers.Positive.class,
      description = "Pictures drawn together, which does not change them. Default: 1 at 512x512, more of smaller ones.")
  private Optional<Integer> batch = Optional.empty();

  @Option(
      names = "--preview",
      paramLabel = "FILE.png",
      description = "Write the picture as it is so far to this file, every few steps; each time costs a decoding, at 512x512 as long as a step or two.")
  private Optional<Path> preview = Optional.empty();

  @Option(
      names = "--preview-every",
      paramLabel = "N",
      converter = Numbers.Positive.class,
      description = "Steps between previews. Default: " + PREVIEW_EVERY + ".")
  private Optional<Integer> previewEvery = Optional.empty();

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE.png|FOLDER",
      description = "Where to write the picture or sheet; with --count a folder.")
  private Path out;

  SampleCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    checkOptions();
    model.requireSteps("--steps", steps);
    Optional<BeginPicture> begin = image.map(BeginPicture::read);
    if (strict) {
      requireWholePrompts();
    }
    SamplingOptions sampling = sampling();
    try (DiffusionPipeline pipeline = model.load(context, sampling)) {
      PictureParameters p = parameters(pipeline, sampling, begin.map(BeginPicture::begin));
      int together = batch.orElse(Drawing.usualBatch(sampling.width(), sampling.height()));
      var drawing = new Drawing(pipeline, together, begin.map(BeginPicture::picture));
      if (count.isPresent()) {
        drawFiles(drawing, p.pictures());
      } else {
        drawSheet(drawing, p);
      }
    }
    return 0;
  }

  private void checkOptions() {
    if (count.isPresent()) {
      if (grid.isPresent()) {
        throw new InvalidInputException("--grid draws one sheet, --count a folder of pictures: give one of them");
      }
      if ((long) count.get() * prompts.size() > MOST_FILES) {
        throw new InvalidInputException(
            "--count asks for more than %,d pictures: let generate draw a data set".formatted(MOST_FILES));
      }
      if (Set.copyOf(prompts).size() < prompts.size()) {
        throw new InvalidInputException("--prompt is given twice with the same text: with --count each has files of its own");
      }
      PictureFile.requireWritable("--out", out);
    } else {
      PictureFile.requireName("--out", out);
    }
    if (grid.isPresent() && prompts.size() > 1 && grid.get().rows() != prompts.size()) {
      throw new InvalidInputException(
          "--grid has %d rows and --prompt is given %d times: every prompt takes a row".formatted(grid.get().rows(), prompts.size()));
    }
    preview.ifPresent(file -> PictureFile.requireName("--preview", file));
    if (preview.isPresent() && preview.get().toAbsolutePath().normalize().equals(out.toAbsolutePath().normalize())) {
      throw new InvalidInputException("--preview and --out name the same file: " + out);
    }
    if (previewEvery.isPresent() && preview.isEmpty()) {
      throw new InvalidInputException("--preview-every needs a file to show previews in: --preview");
    }
    if (strength.isPresent() && image.isEmpty()) {
      throw new InvalidInputException("--strength needs a picture to begin from: --image");
    }
  }

  /** With several prompts a sheet in any case; of files, as if they lay on one. */
  private Optional<Grid> shape() {
    if (grid.isPresent()) {
      return grid;
    }
    boolean one = count.isEmpty() && prompts.size() == 1;
    return one ? Optional.empty() : Optional.of(new Grid(count.orElse(1), prompts.size()));
  }

  private void requireWholePrompts() {
    try (Checkpoint checkpoint = Checkpoint.open(model.path(), model.ema())) {
      ClipTokenizer tokenizer = ClipTokenizer.of(checkpoint);
      var texts = new ArrayList<>(prompts);
      texts.add(negativePrompt);
      for (String text : texts) {
        Encoding encoding = tokenizer.tokenize(text);
        if (encoding.truncated()) {
          throw new InvalidInputException(encoding.tooLong(text));
        }
      }
    }
  }

  private SamplingOptions sampling() {
    PixelSize size = model.size("--width and --height", width, height);
    return new SamplingOptions(size.width(), size.height(), steps, false, image.isPresent() ? strength.orElse(DEFAULT_STRENGTH) : 1);
  }

  private PictureParameters parameters(
      DiffusionPipeline pipeline, SamplingOptions sampling, Optional<PictureParameters.Begin> begin) {
    var drawnBy =
        new PictureParameters.Model(pipeline.modelHash(), model.given().map(Path::toString), model.ema(), model.precision());
    return new PictureParameters(
        prompts, negativePrompt, guidance, eta, rng, seed, 0, sampling, begin, shape(), Optional.empty(), drawnBy);
  }

  private void drawSheet(Drawing drawing, PictureParameters p) {
    Optional<Preview> shown = preview(p.sampling(), p.grid().orElse(new Grid(1, 1)));
    try {
      RgbImage picture = context.work(progress -> drawing.draw(p, new Watch(progress, shown, (_, _) -> {})));
      PictureFile.write(out, picture, p);
    } catch (CancelledException e) {
      throw new CancelledException("stopped; nothing was written", e);
    }
    context.out().println(out);
  }

  private void drawFiles(Drawing drawing, List<PictureParameters> pictures) {
    List<PictureParameters> missing = pictures.stream().filter(p -> !PictureFile.isThere(file(p), p)).toList();
    if (!missing.isEmpty()) {
      drawMissing(drawing, missing, pictures.size());
    }
    pictures.forEach(p -> context.out().println(file(p)));
  }

  private void drawMissing(Drawing drawing, List<PictureParameters> missing, int all) {
    var done = new AtomicInteger(all - missing.size());
    Optional<Preview> shown = preview(missing.getFirst().sampling(), Preview.square(Math.min(missing.size(), drawing.batch())));
    BiConsumer<Integer, RgbImage> write =
        (i, picture) -> {
          PictureFile.write(file(missing.get(i)), picture, missing.get(i));
          done.incrementAndGet();
        };
    try {
      context.work(
          progress -> {
            drawing.draw(missing, new Watch(progress, shown, write));
            return missing;
          });
    } catch (CancelledException e) {
      throw new CancelledException(
          "stopped after %,d of %,d pictures; run the same command again to go on".formatted(done.get(), all), e);
    }
  }

  /** By the prompt's number where there are several, and the seed. */
  private Path file(PictureParameters p) {
    String prompt = prompts.size() > 1 ? (prompts.indexOf(p.prompts().getFirst()) + 1) + "-" : "";
    return out.resolve(prompt + p.seed() + ".png");
  }

  private Optional<Preview> preview(SamplingOptions sampling, Grid shape) {
    return preview.map(file -> new Preview(file, previewEvery.orElse(PREVIEW_EVERY), shape, sampling.width(), sampling.height(), context.err()));
  }

  /** Shows the progress and the previews, and passes the pictures on. */
  private record Watch(ProgressListener progress, Optional<Preview> preview, BiConsumer<Integer, RgbImage> pictures)
      implements Drawing.Listener {
    @Override
    public boolean onProgress(Progress now) {
      return progress.onProgress(now);
    }

    @Override
    public void onPicture(int i, RgbImage picture) {
      pictures.accept(i, picture);
      preview.ifPresent(p -> p.show(i, List.of(picture)));
    }

    @Override
    public boolean wantsPreview(long step) {
      return preview.isPresent() && preview.get().wants(step);
    }

    @Override
    public void onPreview(int first, List<RgbImage> shown) {
      preview.ifPresent(p -> p.show(first, shown));
    }
  }
}
