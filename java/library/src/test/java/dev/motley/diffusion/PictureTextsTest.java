// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.diffusion.PictureParameters.Begin;
import dev.motley.diffusion.PictureParameters.Grid;
import dev.motley.diffusion.PictureParameters.Model;
import dev.motley.diffusion.PictureParameters.Stored;
import dev.motley.image.Png;
import dev.motley.image.Resize;
import dev.motley.testing.RandomPicture;
import dev.motley.weights.Ema;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PictureTextsTest {
  private static final String HASH = "0123456789abcdef".repeat(4);

  private static PictureParameters plain() {
    return new PictureParameters(
        List.of("a dress"), "", 7.5, 0, NoiseGenerator.PHILOX, 1, 0, new SamplingOptions(512, 384, 40, false), Optional.empty(),
        Optional.empty(), Optional.empty(), new Model(HASH, Optional.empty(), Ema.AS_GIVEN, Precision.FP32));
  }

  private static PictureParameters full() {
    return new PictureParameters(
        List.of("a dress,\nin rain", "ein Kleid für 東京", "Steps: 3, Seed: 9"), "blurry \\ dark", 1e-30, 0.1, NoiseGenerator.TORCH,
        Long.MIN_VALUE, Long.MAX_VALUE, new SamplingOptions(32, 48, 7, true, 0.6), Optional.of(new Begin("old/a b.png", HASH)),
        Optional.of(new Grid(4, 3)), Optional.of(new Stored(16, 24, Resize.Filter.PIL_BICUBIC)),
        new Model(HASH, Optional.of("models/v1,5.ckpt"), Ema.PLAIN, Precision.BF16));
  }

  static List<PictureParameters> all() {
    return List.of(plain(), full(), plain().with(new Grid(2, 5)), plain().with(Optional.of(new Begin("", HASH))));
  }

  @ParameterizedTest
  @MethodSource("all")
  void whatAFileSaysIsReadBackEqual(PictureParameters p) {
    assertThat(PictureTexts.read("a.png", PictureTexts.of(p))).isEqualTo(p);
    byte[] png = Png.encode(RandomPicture.of(4, 4), PictureTexts.complete(p));
    assertThat(PictureTexts.read("a.png", Png.texts("a.png", png))).isEqualTo(p);
  }

  @Test
  void viewersFindTheFormTheyKnow() {
    assertThat(PictureTexts.complete(plain()).get("parameters"))
        .matches(
            "a dress\nSteps: 40, Sampler: DDIM, CFG scale: 7\\.5, Seed: 1, Size: 512x384, RNG: Philox, "
                + "Version: motley \\S+");
    assertThat(PictureTexts.complete(full()).get("parameters").lines().skip(3))
        .first()
        .isEqualTo("Steps: 3, Seed: 9");
    assertThat(PictureTexts.complete(full()).get("parameters"))
        .contains("\nNegative prompt: blurry \\ dark\nSteps: 7, Sampler: DDIM, CFG scale: 1.0E-30, ")
        .contains("Model: v1_5.ckpt, Denoising strength: 0.6, Eta DDIM: 0.1, RNG: CPU, ");
  }

  private static void refused(Map<String, String> texts, String message) {
    assertThatThrownBy(() -> PictureTexts.read("a.png", texts))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("a.png: ")
        .hasMessageContaining(message)
        .extracting(Throwable::getMessage)
        .asString()
        .hasLineCount(1);
  }

  @Test
  void everyMissingTextIsNamed() {
    Map<String, String> optional = new LinkedHashMap<>(PictureTexts.of(full()));
    optional.keySet().removeAll(PictureTexts.of(plain()).keySet());
    assertThat(optional).containsOnlyKeys("prompt_2", "prompt_3", "model", "ema", "grid", "strength", "image", "image_sha256", "stored");
    for (String key : PictureTexts.of(plain()).keySet()) {
      var texts = new LinkedHashMap<>(PictureTexts.of(full()));
      texts.remove(key);
      refused(texts, "missing: " + key);
    }
    for (String key : List.of("strength", "image", "image_sha256")) {
      var texts = new LinkedHashMap<>(PictureTexts.of(full()));
      texts.remove(key);
      refused(texts, "'" + key + "' is missing");
    }
    var texts = new LinkedHashMap<>(PictureTexts.of(full()));
    texts.remove("prompt_2");
    refused(texts, "'prompt_2' is missing");
    refused(Map.of(), "missing: prompt, negative_prompt, guidance, seed,");
  }

  @Test
  void picturesOfOtherProgramsAreToldApart() {
    refused(
        Map.of("parameters", "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512"),
        "its 'parameters', in the form of other programs, do not say how it was drawn to the last bit; missing: prompt, ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "guidance | 101 | a number from 0 to 100",
        "guidance | NaN | a number from 0 to 100",
        "seed | 1.5 | a whole number",
        "noise_key | 99999999999999999999 | a whole number",
        "steps | 0 | a whole number from 1 to 2147483647",
        "eta | -0.5 | a number from 0 to 1",
        "size | 512 | two numbers of at most six digits, as in 512x512",
        "size | 0x8 | two numbers",
        "size | 99999999x8 | two numbers",
        "rng | mersenne | one of philox, torch",
        "precision | fp8 | one of fp32, bf16",
        "rounding | up | one of round, truncate",
        "ema | maybe | one of as-given, averaged, plain",
        "grid | 4 | two numbers",
        "strength | 0 | a number above 0, up to 1",
        "image_sha256 | abc | 64 hexadecimal digits",
        "model_hash | abc | 64 hexadecimal digits",
        "stored | 16385x16 bilinear | at most 16384 pixels wide and high",
        "stored | 16x16 | width x height and a filter, as in 32x32 bilinear_aa",
        "stored | 16x16 lanczos | one of 16x16 bilinear,"
      })
  void damagedTextsAreNamed(String key, String value, String expected) {
    var texts = new LinkedHashMap<>(PictureTexts.of(full()));
    texts.put(key, value);
    refused(texts, "its PNG text '" + key + "' is '" + value + "', expected " + expected);
  }

  /** Whatever a file says ends in parameters or in one line. */
  @ParameterizedTest
  @ValueSource(strings = {"", "\0", "a\nb", "-1", "1e999", "99999999999999999999", "0x0", "999999x999999", "\ud800", "%s", "../.."})
  void nonsenseIsReadOrRefusedInOneLine(String value) {
    for (String key : PictureTexts.of(full()).keySet()) {
      var texts = new LinkedHashMap<>(PictureTexts.of(full()));
      texts.put(key, value);
      try {
        assertThat(PictureTexts.of(PictureTexts.read("a.png", texts))).containsKey(key);
      } catch (InvalidInputException e) {
        assertThat(e.getMessage()).startsWith("a.png: ").hasLineCount(1);
      }
    }
  }

  @Test
  void aSheetsPicturesHaveTheirOwnSeeds() {
    assertThat(plain().with(new Grid(2, 2)).pictures())
        .extracting(PictureParameters::seed)
        .containsExactly(1L, 2L, 3L, 4L);
    PictureParameters rows = full();
    assertThat(rows.pictures()).hasSize(12);
    assertThat(rows.pictures().get(5).prompts()).containsExactly(rows.prompts().get(1));
    assertThat(rows.pictures().get(5).seed()).isEqualTo(rows.seed() + 1);
    assertThat(plain().pictures()).containsExactly(plain());
    assertThatThrownBy(() -> rows.with(new Grid(4, 2))).hasMessage("3 prompts for 2 rows: expected one, or one a row");
  }
}
