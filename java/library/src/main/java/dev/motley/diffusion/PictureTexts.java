// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;
import dev.motley.MotleyVersion;
import dev.motley.Precision;
import dev.motley.config.Names;
import dev.motley.image.Resize;
import dev.motley.weights.Ema;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@link PictureParameters} as the texts of a PNG file, and back. The only place that knows their keywords. */
public final class PictureTexts {
  /** One text in the form of the AUTOMATIC1111 web UI, which stable-diffusion.cpp writes and many viewers know. */
  public static final String FOR_VIEWERS = "parameters";

  /** Without these no picture can be made again. */
  private static final List<String> REQUIRED =
      List.of(
          "prompt", "negative_prompt", "guidance", "seed", "rng", "noise_key", "steps", "eta", "size", "precision", "rounding",
          "model_hash");

  /** Pixels; no data set has larger pictures, and a resizing beyond takes memory that nobody meant to give. */
  private static final int LARGEST_STORED = 1 << 14;

  private static final Pattern SIZE = Pattern.compile("([1-9]\\d{0,5})x([1-9]\\d{0,5})");
  private static final Pattern STORED = Pattern.compile(SIZE.pattern() + " (\\w{1,40})");
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  private final String name;
  private final Map<String, String> texts;

  private PictureTexts(String name, Map<String, String> texts) {
    this.name = name;
    this.texts = texts;
  }

  /** All that {@link #read} needs, by keyword. */
  public static Map<String, String> of(PictureParameters p) {
    var texts = new LinkedHashMap<String, String>();
    for (int i = 0; i < p.prompts().size(); i++) {
      texts.put(promptKey(i), p.prompts().get(i));
    }
    texts.put("negative_prompt", p.negativePrompt());
    texts.put("guidance", Double.toString(p.guidance()));
    texts.put("seed", Long.toString(p.seed()));
    texts.put("rng", id(p.rng()));
    texts.put("noise_key", Long.toString(p.noiseKey()));
    texts.put("steps", Integer.toString(p.sampling().steps()));
    texts.put("eta", Double.toString(p.eta()));
    texts.put("size", p.sampling().width() + "x" + p.sampling().height());
    texts.put("precision", p.model().precision().id());
    texts.put("rounding", rounding(p.sampling().truncate()));
    texts.put("model_hash", p.model().hash());
    p.model().path().ifPresent(path -> texts.put("model", path));
    if (p.model().ema() != Ema.AS_GIVEN) {
      texts.put("ema", p.model().ema().id());
    }
    p.grid().ifPresent(grid -> texts.put("grid", grid.columns() + "x" + grid.rows()));
    p.begin()
        .ifPresent(
            begin -> {
              texts.put("strength", Double.toString(p.sampling().strength()));
              texts.put("image", begin.path());
              texts.put("image_sha256", begin.sha256());
            });
    p.stored().ifPresent(s -> texts.put("stored", "%dx%d %s".formatted(s.width(), s.height(), s.filter().id())));
    return texts;
  }

  /** The same, with the program's name before and {@link #FOR_VIEWERS} after it. */
  public static Map<String, String> complete(PictureParameters p) {
    var texts = new LinkedHashMap<String, String>();
    texts.put("Software", "motley " + MotleyVersion.current());
    texts.putAll(of(p));
    texts.put(FOR_VIEWERS, forViewers(p));
    return texts;
  }

  private static String forViewers(PictureParameters p) {
    var values = new LinkedHashMap<String, Object>();
    values.put("Steps", p.sampling().steps());
    values.put("Sampler", "DDIM");
    values.put("CFG scale", plain(p.guidance()));
    values.put("Seed", p.seed());
    values.put("Size", p.sampling().width() + "x" + p.sampling().height());
    // No "Model hash": elsewhere that is the beginning of the file's SHA-256, and would find no model by ours.
    p.model().path().map(PictureTexts::baseName).ifPresent(model -> values.put("Model", model));
    if (p.begin().isPresent()) {
      values.put("Denoising strength", plain(p.sampling().strength()));
    }
    if (p.eta() > 0) {
      values.put("Eta DDIM", plain(p.eta()));
    }
    values.put("RNG", p.rng() == NoiseGenerator.TORCH ? "CPU" : "Philox");
    values.put("Version", "motley " + MotleyVersion.current());
    var lines = new ArrayList<>(p.prompts());
    if (!p.negativePrompt().isEmpty()) {
      lines.add("Negative prompt: " + p.negativePrompt());
    }
    lines.add(String.join(", ", values.entrySet().stream().map(e -> e.getKey() + ": " + e.getValue()).toList()));
    return String.join("\n", lines);
  }

  /** As web UIs write it: 7 for 7.0. A comma would end the value. */
  private static String plain(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }

  private static String baseName(String path) {
    Path file = Path.of(path).getFileName();
    return (file == null ? path : file.toString()).replace(',', '_');
  }

  /**
   * Reads what {@link #of} wrote.
   *
   * @param name of the picture, for messages
   * @param texts of its PNG file
   * @throws InvalidInputException if one is missing or makes no sense; names the keyword
   */
  public static PictureParameters read(String name, Map<String, String> texts) {
    List<String> missing = REQUIRED.stream().filter(key -> !texts.containsKey(key)).toList();
    if (!missing.isEmpty()) {
      boolean foreign = missing.size() == REQUIRED.size() && texts.containsKey(FOR_VIEWERS);
      throw new InvalidInputException(
          "%s: %s do not say how it was drawn%s; missing: %s"
              .formatted(
                  name,
                  foreign ? "its '" + FOR_VIEWERS + "', in the form of other programs," : "its PNG texts",
                  foreign ? " to the last bit" : "",
                  String.join(", ", missing)));
    }
    return new PictureTexts(name, texts).parameters();
  }

  private PictureParameters parameters() {
    int[] size = pair("size", SIZE);
    Optional<PictureParameters.Begin> begin = begin();
    double strength = begin.isPresent() ? real("strength", Double.MIN_VALUE, 1) : 1;
    int steps = (int) whole("steps", 1, Integer.MAX_VALUE);
    boolean truncate = choice("rounding", List.of(false, true), PictureTexts::rounding);
    var model =
        new PictureParameters.Model(
            hash("model_hash"),
            texts.containsKey("model") ? Optional.of(path("model")) : Optional.empty(),
            texts.containsKey("ema") ? choice("ema", List.of(Ema.values()), Ema::id) : Ema.AS_GIVEN,
            choice("precision", List.of(Precision.values()), Precision::id));
    try {
      return new PictureParameters(
          prompts(),
          text("negative_prompt"),
          real("guidance", 0, ImageRequest.MAX_GUIDANCE),
          real("eta", 0, ImageRequest.MAX_ETA),
          choice("rng", List.of(NoiseGenerator.values()), PictureTexts::id),
          whole("seed", Long.MIN_VALUE, Long.MAX_VALUE),
          whole("noise_key", Long.MIN_VALUE, Long.MAX_VALUE),
          new SamplingOptions(size[0], size[1], steps, truncate, strength),
          begin,
          grid(),
          stored(),
          model);
    } catch (InvalidInputException e) {
      throw e.getMessage().startsWith(name) ? e : new InvalidInputException(name + ": " + e.getMessage(), e);
    }
  }

  private List<String> prompts() {
    var prompts = new ArrayList<String>();
    long count = texts.keySet().stream().filter(key -> key.startsWith("prompt")).count();
    while (prompts.size() < count) {
      prompts.add(text(promptKey(prompts.size())));
    }
    return prompts;
  }

  private static String promptKey(int i) {
    return i == 0 ? "prompt" : "prompt_" + (i + 1);
  }

  private Optional<PictureParameters.Begin> begin() {
    if (!texts.containsKey("strength") && !texts.containsKey("image_sha256")) {
      return Optional.empty();
    }
    return Optional.of(new PictureParameters.Begin(path("image"), hash("image_sha256")));
  }

  private Optional<PictureParameters.Grid> grid() {
    if (!texts.containsKey("grid")) {
      return Optional.empty();
    }
    int[] shape = pair("grid", SIZE);
    return Optional.of(new PictureParameters.Grid(shape[0], shape[1]));
  }

  private Optional<PictureParameters.Stored> stored() {
    if (!texts.containsKey("stored")) {
      return Optional.empty();
    }
    int[] size = pair("stored", STORED);
    if (Math.max(size[0], size[1]) > LARGEST_STORED) {
      throw wrong("stored", "at most " + LARGEST_STORED + " pixels wide and high");
    }
    Resize.Filter filter = choice("stored", List.of(Resize.Filter.values()), f -> "%dx%d %s".formatted(size[0], size[1], f.id()));
    return Optional.of(new PictureParameters.Stored(size[0], size[1], filter));
  }

  private String text(String key) {
    return Optional.ofNullable(texts.get(key))
        .orElseThrow(() -> new InvalidInputException("%s: its PNG text '%s' is missing".formatted(name, key)));
  }

  private String hash(String key) {
    if (!SHA256.matcher(text(key)).matches()) {
      throw wrong(key, "64 hexadecimal digits");
    }
    return text(key);
  }

  private String path(String key) {
    if (text(key).chars().anyMatch(Character::isISOControl)) {
      throw wrong(key, "a path");
    }
    return text(key);
  }

  private long whole(String key, long least, long most) {
    try {
      long value = Long.parseLong(text(key));
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      // the same message serves
    }
    throw wrong(key, most == Long.MAX_VALUE ? "a whole number of 64 bits" : "a whole number from %d to %d".formatted(least, most));
  }

  private double real(String key, double least, double most) {
    try {
      double value = Double.parseDouble(text(key));
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      // the same message serves
    }
    throw wrong(key, "a number %s to %d".formatted(least > 0 ? "above 0, up" : "from 0", (long) most));
  }

  private int[] pair(String key, Pattern form) {
    Matcher match = form.matcher(text(key));
    if (!match.matches()) {
      throw wrong(key, form == STORED ? "width x height and a filter, as in 32x32 bilinear_aa" : "two numbers of at most six digits, as in 512x512");
    }
    return new int[] {Integer.parseInt(match.group(1)), Integer.parseInt(match.group(2))};
  }

  private <T> T choice(String key, List<T> choices, Function<T, String> id) {
    String text = text(key);
    return choices.stream()
        .filter(choice -> id.apply(choice).equals(text))
        .findFirst()
        .orElseThrow(() -> wrong(key, "one of " + String.join(", ", choices.stream().map(id).toList())));
  }

  private InvalidInputException wrong(String key, String expected) {
    return new InvalidInputException(
        "%s: its PNG text '%s' is '%s', expected %s".formatted(name, key, Names.printable(text(key)), expected));
  }

  private static String id(NoiseGenerator rng) {
    return rng.name().toLowerCase(Locale.ROOT);
  }

  private static String rounding(boolean truncate) {
    return truncate ? "truncate" : "round";
  }
}
