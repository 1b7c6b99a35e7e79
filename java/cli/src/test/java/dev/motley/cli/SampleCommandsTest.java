// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.diffusion.PictureTexts;
import dev.motley.image.Png;
import dev.motley.image.RgbImage;
import dev.motley.testing.RandomPicture;
import dev.motley.testing.Shared;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code motley sample} and {@code motley again}. */
class SampleCommandsTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final Cancellation cancellation = new Cancellation();

  @TempDir private Path folder;

  /** A picture to begin from, of no size that a model has. */
  private Path photo;

  @BeforeAll
  static void findTheModels() {
    System.setProperty("motley.home", Shared.repository().toString());
  }

  @BeforeEach
  void writeThePhoto() throws IOException {
    photo = folder.resolve("photo.png");
    Files.write(photo, Png.encode(RandomPicture.of(50, 70), Map.of()));
  }

  private int motley(Object... args) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    var context = new Context(new PrintWriter(out, true), new PrintWriter(err, true), cancellation);
    return Main.commandLine(context).execute(List.of(args).stream().map(Object::toString).toArray(String[]::new));
  }

  /** Draws with two steps into a file of this name. */
  private Path sample(String name, Object... args) {
    Path file = folder.resolve(name);
    var all = new ArrayList<Object>(List.of("sample", "--steps", "2", "--out", file));
    all.addAll(List.of(args));
    assertThat(motley(all.toArray())).as(err.toString()).isZero();
    return file;
  }

  private void refused(String line, Object... args) {
    assertThat(motley(args)).as(err.toString()).isEqualTo(Exit.USAGE.code());
    assertThat(err.toString().lines().filter(l -> l.startsWith("motley: "))).hasSize(1);
    assertThat(err.toString()).contains(line).doesNotContain("\tat ");
    assertThat(out.toString()).isEmpty();
  }

  private static RgbImage picture(Path file) throws IOException {
    return Png.decode(file.toString(), Files.readAllBytes(file));
  }

  private static Map<String, String> texts(Path file) throws IOException {
    return Png.texts(file.toString(), Files.readAllBytes(file));
  }

  private List<String> names(Path of) throws IOException {
    try (Stream<Path> files = Files.list(of)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--seed 3",
        "--rng torch",
        "--rng torch --eta 1",
        "--eta 0.3 --guidance 1",
        "--negative-prompt grün,東京 --guidance 2.1",
        "--width 48 --height 20",
        "--precision bf16",
        "--image PHOTO --strength 0.5",
        "--image PHOTO --width 20 --height 44 --eta 0.5 --seed -4",
        "--image PHOTO --rng torch --eta 0.5 --grid 2x1",
        "--grid 3x2 --batch 4",
        "--grid 2x3 --prompt coat --prompt bag --rng torch",
        "--model models/clothes --seed 9223372036854775807"
      })
  void aPictureIsDrawnAgainBitForBit(String options) throws IOException {
    var args = new ArrayList<Object>(List.of("--prompt", "a painting of a dress, on a beach"));
    for (String option : options.split(" ")) {
      args.add(option.equals("PHOTO") ? photo : option.startsWith("models/") ? Shared.repository().resolve(option) : option);
    }
    Path first = sample("first.png", args.toArray());
    assertThat(motley("again", first)).as(err.toString()).isZero();
    Path again = folder.resolve("first-again.png");
    assertThat(out.toString()).isEqualTo(again + "\tidentical" + System.lineSeparator());
    assertThat(Files.readAllBytes(again)).as("texts included").isEqualTo(Files.readAllBytes(first));
    assertThat(texts(first)).containsKeys("Software", PictureTexts.FOR_VIEWERS);
  }

  @Test
  void whateverIsAskedForMatters() throws IOException {
    byte[] plain = picture(sample("plain.png", "--prompt", "a dress")).pixels();
    assertThat(picture(sample("same.png", "--prompt", "a dress", "--batch", "3")).pixels()).isEqualTo(plain);
    for (List<String> options :
        List.of(
            List.of("--seed", "1"),
            List.of("--rng", "torch"),
            List.of("--eta", "1"),
            List.of("--negative-prompt", "a coat"),
            List.of("--image", photo.toString()),
            List.of("--image", photo.toString(), "--strength", "1"))) {
      var args = new ArrayList<Object>(List.of("--prompt", "a dress"));
      args.addAll(options);
      assertThat(picture(sample("other.png", args.toArray())).pixels()).as("%s", options).isNotEqualTo(plain);
    }
  }

  @Test
  void aSheetIsItsPicturesSideBySide() throws IOException {
    RgbImage sheet = picture(sample("sheet.png", "--prompt", "a dress", "--seed", "5", "--grid", "3x2"));
    assertThat(sheet.width()).isEqualTo(3 * 32 + 2 * 2);
    assertThat(sheet.height()).isEqualTo(2 * 32 + 2);
    RgbImage fifth = picture(sample("fifth.png", "--prompt", "a dress", "--seed", "9"));
    for (int y = 0; y < 32; y++) {
      int at = 3 * ((y + 34) * sheet.width() + 34);
      assertThat(java.util.Arrays.copyOfRange(sheet.pixels(), at, at + 96))
          .isEqualTo(java.util.Arrays.copyOfRange(fifth.pixels(), 96 * y, 96 * y + 96));
    }
    RgbImage rows = picture(sample("rows.png", "--prompt", "a dress", "--prompt", "a coat", "--prompt", "a bag"));
    assertThat(rows.width()).isEqualTo(32);
    assertThat(rows.height()).isEqualTo(3 * 32 + 2 * 2);
  }

  @Test
  void aFolderIsFilledAndGoneOnWith() throws IOException {
    Path bags = sample("bags", "--prompt", "a bag", "--seed", "8", "--count", "3");
    assertThat(names(bags)).containsExactly("10.png", "8.png", "9.png");
    assertThat(out.toString().lines()).containsExactly(bags + "/8.png", bags + "/9.png", bags + "/10.png");
    assertThat(picture(bags.resolve("9.png")).pixels())
        .isEqualTo(picture(sample("nine.png", "--prompt", "a bag", "--seed", "9")).pixels());
    byte[] nine = Files.readAllBytes(bags.resolve("9.png"));
    Files.delete(bags.resolve("9.png"));
    sample("bags", "--prompt", "a bag", "--seed", "7", "--count", "4");
    assertThat(names(bags)).containsExactly("10.png", "7.png", "8.png", "9.png");
    assertThat(Files.readAllBytes(bags.resolve("9.png"))).isEqualTo(nine);
    refused(
        bags + "/8.png is there, drawn with guidance = 7.5, asked for is 3.0; choose another folder",
        "sample", "--prompt", "a bag", "--guidance", "3", "--seed", "8", "--steps", "2", "--count", "1", "--out", bags);
    assertThat(motley("again", bags.resolve("10.png"))).isZero();
    assertThat(out.toString()).contains("identical");
    Path both = sample("both", "--prompt", "a bag", "--prompt", "a coat", "--count", "2");
    assertThat(names(both)).containsExactly("1-0.png", "1-1.png", "2-0.png", "2-1.png");
    assertThat(texts(both.resolve("2-1.png"))).containsEntry("prompt", "a coat").containsEntry("seed", "1");
  }

  @Test
  void thePreviewShowsWhatIsDrawn() throws IOException {
    Path now = folder.resolve("now.png");
    Path sheet =
        sample("sheet.png", "--prompt", "a dress", "--grid", "2x2", "--batch", "3", "--preview", now, "--preview-every", "1");
    assertThat(picture(now).pixels()).isEqualTo(picture(sheet).pixels());
    assertThat(texts(now)).containsOnlyKeys("Software");
    Path without = sample("without.png", "--prompt", "a dress", "--grid", "2x2");
    assertThat(Files.readAllBytes(without)).isEqualTo(Files.readAllBytes(sheet));
    sample("files", "--prompt", "a dress", "--count", "3", "--preview", now, "--preview-every", "1");
    assertThat(picture(now).height()).isEqualTo(2 * 32 + 2);
    assertThat(names(folder)).containsExactly("files", "now.png", "photo.png", "sheet.png", "without.png");
  }

  @Test
  void aStopLeavesNothingHalfWritten() throws IOException {
    cancellation.request();
    Path file = folder.resolve("a.png");
    assertThat(motley("sample", "--prompt", "a dress", "--grid", "2x2", "--out", file)).isEqualTo(Exit.CANCELLED.code());
    assertThat(err.toString()).contains("motley: stopped while loading " + Home.model() + "; nothing was written");
    assertThat(motley("sample", "--prompt", "a dress", "--count", "2", "--out", folder.resolve("files"))).isEqualTo(Exit.CANCELLED.code());
    assertThat(err.toString()).contains("; nothing was written");
    assertThat(names(folder)).containsExactly("photo.png");
  }

  @Test
  void aProcessThatIsStoppedLeavesWholePictures() throws IOException, InterruptedException {
    Path now = folder.resolve("now.png");
    Path file = folder.resolve("a.png");
    MotleyProcess process =
        MotleyProcess.start(
                folder, "sample", "--prompt", "a dress", "--grid", "8x8", "--steps", "900", "--preview", now.toString(), "--out", file.toString())
            .untilExists(now);
    assertThat(process.interrupt()).as(process.said()).isEqualTo(Exit.CANCELLED.code());
    assertThat(process.complaints()).containsExactly("motley: stopping at the next step", "motley: stopped; nothing was written");
    assertThat(picture(now).width()).isEqualTo(8 * 32 + 7 * 2);
    assertThat(names(folder).stream().filter(name -> !name.startsWith("err"))).containsExactly("now.png", "photo.png");
  }

  /** What is cut off may come out of a picture's texts, and terminals obey it. */
  @Test
  void whatWouldBeCutIsShownWithoutControlCharacters() {
    refused("cut off: \"", "sample", "--prompt", "a ".repeat(80) + "\u001b[2J\u202e", "--strict", "--out", folder.resolve("b.png"));
    assertThat(err.toString()).doesNotContain("\u001b", "\u202e").contains("\\u001b", "\\u202e");
  }

  @Test
  void aModelThatDoesNotSayItsSizeNeedsOne() throws IOException {
    Path model = folder.resolve("model");
    Path original = Shared.repository().resolve("models/clothes");
    try (Stream<Path> files = Files.walk(original)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = model.resolve(original.relativize(file).toString());
        Files.createDirectories(target.getParent());
        Files.copy(file, target);
      }
    }
    for (String part : List.of("unet", "vae")) {
      Path config = model.resolve(part).resolve("config.json");
      Files.writeString(config, Files.readString(config).replace("\"sample_size\"", "\"_sample_size\""));
    }
    refused(
        model + ": does not say which size it was trained for: give --width and --height",
        "sample", "--model", model, "--prompt", "x", "--width", 32, "--out", folder.resolve("b.png"));
    refused("does not say which size it was trained for: give --size", "bench", "--model", model);
    sample("b.png", "--model", model, "--prompt", "x", "--width", 32, "--height", 32);
  }

  @Test
  void ofEqualPromptsTheFilesWouldBeTheSame() {
    refused(
        "--prompt is given twice with the same text: with --count each has files of its own",
        "sample", "--prompt", "x", "--prompt", "y", "--prompt", "x", "--count", 2, "--out", folder.resolve("files"));
  }

  @Test
  void strictRefusesWhatWouldBeCut() throws IOException {
    String longest = "dress ".repeat(75);
    sample("long.png", "--prompt", longest, "--strict");
    refused(
        " ...\" has 80 tokens, with start and end, the model takes 77; cut off: \"dress coat\"",
        "sample", "--prompt", longest + "dress coat", "--strict", "--out", folder.resolve("b.png"));
    refused(
        "prompt \"no dress dress dress dress dress dress d ...\" has 80 tokens, with start and end, the model takes 77; cut off: \"dress coat\"",
        "sample", "--prompt", "a", "--negative-prompt", "no " + longest + "coat", "--strict", "--out", folder.resolve("b.png"));
    assertThat(names(folder)).containsExactly("long.png", "photo.png");
  }

  @Test
  void badOptionsAreOneLine() throws IOException {
    Path file = folder.resolve("a.png");
    Path broken = folder.resolve("broken.png");
    Files.write(broken, new byte[100]);
    refused("'--grid': expected columns x rows, such as 4x3, got '4'", "sample", "--prompt", "x", "--grid", "4", "--out", file);
    refused("a sheet of 9999x9999 pictures of 32x32 pixels is too large", "sample", "--prompt", "x", "--grid", "9999x9999", "--out", file);
    refused("--grid draws one sheet", "sample", "--prompt", "x", "--grid", "2x2", "--count", "2", "--out", folder);
    refused("--grid has 3 rows and --prompt is given 2 times", "sample", "--prompt", "x", "--prompt", "y", "--grid", "2x3", "--out", file);
    refused("--out: " + photo + " is a file, expected a folder", "sample", "--prompt", "x", "--out", photo.resolve("a/b.png"));
    refused("--preview: " + photo + " is a file", "sample", "--prompt", "x", "--preview", photo.resolve("a.png"), "--out", file);
    refused("--out: " + photo + " is a file, expected a folder", "sample", "--prompt", "x", "--count", "2", "--out", photo);
    refused("--count asks for more than 100,000 pictures", "sample", "--prompt", "x", "--count", "2147483647", "--out", folder.resolve("c"));
    refused("--preview-every needs a file to show previews in: --preview", "sample", "--prompt", "x", "--preview-every", "2", "--out", file);
    refused("'--seed': expected a whole number from -2^63 to 2^63 - 1, got '9e9'", "sample", "--prompt", "x", "--seed", "9e9", "--out", file);
    refused("--strength needs a picture to begin from: --image", "sample", "--prompt", "x", "--strength", "0.5", "--out", file);
    refused("strength 0.01 leaves none of 40 steps", "sample", "--prompt", "x", "--image", photo, "--strength", "0.01", "--out", file);
    refused("'--strength': expected a number above 0, at most 1", "sample", "--prompt", "x", "--image", photo, "--strength", "1.5", "--out", file);
    refused("none.png: no such file", "sample", "--prompt", "x", "--image", folder.resolve("none.png"), "--out", file);
    refused("broken.png: not a picture", "sample", "--prompt", "x", "--image", broken, "--out", file);
    refused("--preview must name a .png", "sample", "--prompt", "x", "--preview", folder, "--out", file);
    refused("--preview and --out name the same file", "sample", "--prompt", "x", "--preview", file, "--out", file);
    refused("multiples of 4", "sample", "--prompt", "x", "--height", "30", "--out", file);
    assertThat(names(folder)).containsExactly("broken.png", "photo.png");
  }

  /** Writes a copy with other texts. */
  private Path rewritten(Path of, String key, String value) throws IOException {
    var texts = new LinkedHashMap<>(texts(of));
    texts.remove(key);
    if (!value.isEmpty()) {
      texts.put(key, value);
    }
    Path file = folder.resolve("rewritten.png");
    Files.write(file, Png.encode(picture(of), texts));
    return file;
  }

  @Test
  void againSaysWhatIsMissingOrWrong() throws IOException {
    Path first = sample("first.png", "--prompt", "a dress", "--image", photo);
    refused("missing: rng", "again", rewritten(first, "rng", ""));
    refused("'steps' is 'two', expected a whole number from 1 to 2147483647", "again", rewritten(first, "steps", "two"));
    refused("width and height must be multiples of 4", "again", rewritten(first, "size", "33x32"));
    refused("its PNG texts do not say how it was drawn; missing: prompt, ", "again", photo);
    refused("--out names the picture itself", "again", first, "--out", folder + "/./first.png");
    refused("--out must name a .png", "again", first, "--out", folder.resolve("a.jpg"));
    refused("none.png: no such file", "again", folder.resolve("none.png"));
    refused("is not there; say by --model where it is", "again", rewritten(first, "model", "nowhere/model"));
    refused("no such model folder", "again", first, "--model", "nowhere");
    byte[] bytes = Files.readAllBytes(first);
    int seed = new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf("tEXtseed\0") + 9;
    bytes[seed] = '7';
    Path damaged = folder.resolve("damaged.png");
    Files.write(damaged, bytes);
    refused("damaged.png: PNG chunk tEXt 'seed' has a wrong checksum", "again", damaged);
    assertThat(names(folder)).containsExactly("damaged.png", "first.png", "photo.png", "rewritten.png");
  }

  @Test
  void anotherModelOrPictureIsToldAndForced() throws IOException {
    Path first = sample("first.png", "--prompt", "a dress", "--image", photo);
    Path other = rewritten(first, "model_hash", "ab".repeat(32));
    refused("was drawn by model abababababababab..., ", "again", other);
    assertThat(err.toString()).contains("; give its own by --model, or --force");
    assertThat(motley("again", other, "--force", "--out", folder.resolve("b.png"))).isZero();
    assertThat(out.toString()).isEqualTo(folder.resolve("b.png") + "\tidentical" + System.lineSeparator());
    assertThat(texts(folder.resolve("b.png"))).as("what drew it").containsEntry("model_hash", texts(first).get("model_hash"));

    Path moved = Files.move(photo, folder.resolve("moved.png"));
    refused("photo.png, is not there; say by --image where it is", "again", first);
    assertThat(motley("again", first, "--image", moved)).isZero();
    assertThat(out.toString()).contains("identical");
    refused("began from a picture with SHA-256 ", "again", first, "--image", first);
    assertThat(motley("again", first, "--image", first, "--force")).isZero();
    assertThat(out.toString()).containsPattern("\t[\\d,]+ of 3,072 values differ, most by \\d+");
  }

  @Test
  void aPictureOutOfADataSetIsDrawnAgain() throws IOException, InterruptedException {
    Path store = folder.resolve("store");
    String[] plan = {"--tricks", "all-combined", "--per-class", "4", "--steps", "2", "--rng", "torch"};
    var args = new ArrayList<Object>(List.of("generate", "--out", store, "--stored-size", "28"));
    args.addAll(List.of(plan));
    assertThat(motley(args.toArray())).as(err.toString()).isZero();
    assertThat(new ProcessBuilder("tar", "-xf", store.resolve("000000.tar").toString(), "-C", folder.toString()).start().waitFor()).isZero();
    List<String> pictures = names(folder).stream().filter(name -> name.endsWith("-000000.png")).toList();
    assertThat(pictures).hasSize(40);
    for (String name : List.of(pictures.getFirst(), pictures.get(17), pictures.getLast())) {
      assertThat(motley("again", folder.resolve(name), "--out", folder.resolve("new.png"))).as(err.toString()).isZero();
      assertThat(out.toString()).isEqualTo(folder.resolve("new.png") + "\tidentical" + System.lineSeparator());
    }
  }
}
