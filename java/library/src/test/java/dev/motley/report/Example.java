// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import dev.motley.evaluate.Evaluation;
import dev.motley.evaluate.Mistake;
import dev.motley.testing.Shared;
import java.awt.image.BufferedImage;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPInputStream;
import javax.imageio.ImageIO;

/**
 * A report like that of the demo: the embedded model's samples, real test images and logits drawn
 * at random around the accuracies of such a run.
 */
final class Example {

  static final List<String> CLASSES =
      List.of(
          "t-shirt",
          "trouser",
          "pullover",
          "dress",
          "coat",
          "sandal",
          "shirt",
          "sneaker",
          "bag",
          "ankle boot");

  private static final List<String> DOMAINS =
      List.of(
          "photo",
          "drawing",
          "painting",
          "sketch",
          "collage",
          "poster",
          "digital art image",
          "rock drawing",
          "stick figure",
          "3D rendering");

  private static final int TILE = 128;
  private static final int SIDE = 28;
  private static final int IMAGES = 10_000;

  private Example() {}

  static ReportData report() throws IOException {
    int[] labels = labels();
    Evaluation base = evaluation(labels, 0.6, 1);
    Evaluation all = evaluation(labels, 1.25, 2);
    return new ReportData(
        "Clothes from words",
        "ResNet50",
        "Fashion-MNIST test set",
        List.of(
            new Experiment(
                "Base class",
                "One prompt for each class at guidance 7.5.",
                1000,
                base,
                epochs(0.25, 4),
                mistakes(base)),
            new Experiment(
                "All tricks combined",
                "Varied prompts, domains and guidance, the base images among them.",
                1000,
                all,
                epochs(0.13, 5),
                mistakes(all))),
        List.of(),
        List.of(),
        samples(),
        List.of(
            new SafetyRow("Base class", "all classes", 1003, 3, 0, 0, 3, 1000),
            new SafetyRow("Base class", "dress", 103, 3, 0, 0, 3, 100),
            new SafetyRow("All tricks combined", "all classes", 1000, 0, 0, 0, 0, 1000)),
        List.of(
            new Stage("Generate", 151.8, 1750, "images"),
            new Stage("Train: base class", 61.4, 20_000, "images"),
            new Stage("Train: all tricks", 60.9, 20_000, "images"),
            new Stage("Evaluate", 21.3, 40_000, "images")),
        """
        model: clothes
        classes: [t-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot]
        tricks: [base-class, class-prompt, multi-domain, random-guidance]
        perClass: 100
        size: 32
        seed: 7
        steps: 40
        recipe:
          architecture: resnet50
          epochs: 20
          batch: 128
          learningRate: 0.001
          weightDecay: 0.05
        """,
        List.of(
            new Fact("Motley", "0.1.0"),
            new Fact("Diffusion model", "clothes, SHA-256 " + "4be1c0a97d".repeat(6) + "e2f1"),
            new Fact("libtorch", "2.10.0"),
            new Fact("JDK", "25.0.1+8"),
            new Fact("Machine", "AMD EPYC 7763, 2 cores, AVX2, no CUDA")));
  }

  static Evaluation evaluation(int[] labels, double skill, long seed) {
    return Evaluation.of(
        CLASSES,
        128,
        logits(labels, skill, seed),
        logits(labels, 1.1 * skill + 0.1, seed + 100),
        labels);
  }

  /** Upper-body clothes are taken for one another, and shoes for shoes. */
  private static float[] logits(int[] labels, double skill, long seed) {
    var random = new Random(seed);
    float[] logits = new float[labels.length * CLASSES.size()];
    for (int i = 0; i < labels.length; i++) {
      for (int c = 0; c < CLASSES.size(); c++) {
        double likeness = kind(c) == kind(labels[i]) ? 2.2 : 0;
        double own = c == labels[i] ? skill * (0.6 + 0.25 * (c % 5)) : 0;
        logits[i * CLASSES.size() + c] =
            (float) (1.5 * (likeness + own) + 1.3 * random.nextGaussian());
      }
    }
    return logits;
  }

  private static int kind(int label) {
    return switch (label) {
      case 1 -> 1;
      case 5, 7, 9 -> 2;
      case 8 -> 3;
      default -> 0;
    };
  }

  private static List<EpochPoint> epochs(double speed, long seed) {
    var random = new Random(seed);
    List<EpochPoint> epochs = new ArrayList<>();
    for (int epoch = 1; epoch <= 20; epoch++) {
      double left = Math.exp(-speed * epoch);
      double noise = 0.02 * random.nextGaussian();
      epochs.add(new EpochPoint(epoch, 2.3 * left + 0.1 + Math.abs(noise), 0.97 - 0.85 * left));
    }
    return epochs;
  }

  private static List<Sample> samples() throws IOException {
    BufferedImage sheet = ImageIO.read(models("clothes/samples.png").toFile());
    List<Sample> samples = new ArrayList<>();
    for (int c = 0; c < CLASSES.size(); c++) {
      String name = CLASSES.get(c);
      String base = "an image of a " + name;
      samples.add(new Sample(name, "Base class", base, 7.5, tile(sheet, c, 1)));
      samples.add(new Sample(name, "Base class", base, 7.5, tile(sheet, c, 1)));
      samples.add(new Sample(name, "Class prompt", name, 7.5, tile(sheet, c, 1)));
      String domain = "a " + DOMAINS.get(c) + " of a " + name;
      samples.add(new Sample(name, "Multi-domain", domain, 7.5, tile(sheet, c, 3)));
      samples.add(new Sample(name, "Multi-domain", domain, 7.5, tile(sheet, c, 2)));
      samples.add(new Sample(name, "Random guidance", base, 1.83 + 0.31 * c, tile(sheet, c, 0)));
    }
    return samples;
  }

  /** A tile of the sheet, which shows 32 x 32 images four times as large. */
  private static Picture tile(BufferedImage sheet, int column, int row) {
    byte[] rgb = new byte[32 * 32 * 3];
    for (int i = 0; i < 32 * 32; i++) {
      int pixel = sheet.getRGB(column * TILE + i % 32 * 4 + 2, row * TILE + i / 32 * 4 + 2);
      rgb[3 * i] = (byte) (pixel >> 16);
      rgb[3 * i + 1] = (byte) (pixel >> 8);
      rgb[3 * i + 2] = (byte) pixel;
    }
    return Picture.rgb(32, 32, rgb);
  }

  private static List<MistakePicture> mistakes(Evaluation evaluation) throws IOException {
    List<Mistake> worst = evaluation.running().worstMistakes().subList(0, 12);
    try (DataInputStream in = idx("t10k-images-idx3-ubyte.gz", 16)) {
      byte[] pixels = in.readAllBytes();
      return worst.stream().map(m -> new MistakePicture(m, grey(pixels, m.image()))).toList();
    }
  }

  private static Picture grey(byte[] pixels, int image) {
    byte[] rgb = new byte[SIDE * SIDE * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = pixels[image * SIDE * SIDE + i / 3];
    }
    return Picture.rgb(SIDE, SIDE, rgb);
  }

  static int[] labels() throws IOException {
    try (DataInputStream in = idx("t10k-labels-idx1-ubyte.gz", 8)) {
      int[] labels = new int[IMAGES];
      for (int i = 0; i < IMAGES; i++) {
        labels[i] = in.readUnsignedByte();
      }
      return labels;
    }
  }

  private static DataInputStream idx(String name, int header) throws IOException {
    var in =
        new DataInputStream(
            new GZIPInputStream(Files.newInputStream(models("fashion-mnist/" + name))));
    in.skipNBytes(header);
    return in;
  }

  private static Path models(String relative) {
    return Shared.repository().resolve("models").resolve(relative);
  }
}
