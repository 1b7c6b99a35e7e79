// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.motley.testing.Shared;
import dev.motley.weights.SafeTensorsWriter;
import dev.motley.weights.TensorView;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code motley inspect} and {@code motley convert}. */
class ModelCommandsTest {
  private static final Path MODEL = Shared.repository().resolve("models/clothes");

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path folder;

  @BeforeAll
  static void findTheModels() {
    System.setProperty("motley.home", Shared.repository().toString());
  }

  private int motley(Object... args) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    var context = new Context(new PrintWriter(out, true), new PrintWriter(err, true), new Cancellation());
    String[] texts = List.of(args).stream().map(Object::toString).toArray(String[]::new);
    return Main.commandLine(context).execute(texts);
  }

  private String value(String name) {
    return out.toString().lines().filter(line -> line.startsWith(name + " ")).findFirst().orElseThrow().substring(name.length()).strip();
  }

  @Test
  void inspectTellsWhatAModelIs() {
    assertThat(motley("inspect", MODEL, "--hash")).isZero();
    assertThat(value("holds")).isEqualTo("a latent diffusion model of its own shape");
    assertThat(value("pictures")).isEqualTo("32x32 pixels");
    assertThat(value("tokenizer")).isEqualTo("3,514 tokens, its own");
    assertThat(out.toString())
        .containsPattern("(?m)^unet +208 +3,173,124 +6\\.3 MB +F16 +unet/diffusion_pytorch_model\\.safetensors$")
        .containsPattern("(?m)^model +[0-9a-f]{64}$");
  }

  @Test
  void inspectTellsWhatIsWrong() throws IOException {
    Path file = folder.resolve("sdxl.safetensors");
    String name = "conditioner.embedders.1.model.ln_final.weight";
    SafeTensorsWriter.write(file, List.of(TensorView.ofFloats(name, new long[] {1}, 1)), Map.of());
    assertThat(motley("inspect", file)).isZero();
    assertThat(value("holds")).isEqualTo("Stable Diffusion XL");
    assertThat(motley("plan", "--model", file)).isEqualTo(Exit.USAGE.code());
    assertThat(err.toString().lines()).hasSize(1);
    assertThat(err.toString()).contains(file + ": holds Stable Diffusion XL, expected Stable Diffusion v1");
    Files.write(file, java.util.Arrays.copyOf(Files.readAllBytes(file), 40));
    assertThat(motley("inspect", file)).isEqualTo(Exit.USAGE.code());
    assertThat(out.toString()).contains("faults").contains(file + ": ");
    assertThat(err.toString()).isEqualTo("motley: " + file + ": 1 fault, listed above" + System.lineSeparator());
    assertThat(motley("inspect", folder.resolve("none"))).isEqualTo(Exit.USAGE.code());
    assertThat(err.toString()).contains("no such model folder or file");
  }

  @Test
  void convertWritesTheSameModel() {
    Path copy = folder.resolve("copy");
    motley("inspect", MODEL, "--hash");
    String model = value("model");
    assertThat(motley("convert", MODEL, "--to", "diffusers", "--out", copy)).isZero();
    assertThat(out.toString().strip()).isEqualTo(copy.toString());
    assertThat(motley("inspect", copy, "--hash")).isZero();
    assertThat(value("model")).isEqualTo(model);
    assertThat(motley("convert", MODEL, "--to", "diffusers", "--dtype", "bf16", "--out", copy, "--force")).isZero();
    assertThat(motley("inspect", copy)).isZero();
    assertThat(value("unet")).contains("BF16");
  }

  @Test
  void convertRefusesInOneLine() {
    Path copy = folder.resolve("copy");
    for (List<String> options :
        List.of(List.of("--to", "ldm"), List.of("--to", "onnx"), List.of("--to", "diffusers", "--dtype", "fp8"), List.of("--to", "diffusers", "--no-ema"))) {
      var args = new java.util.ArrayList<Object>(List.of("convert", MODEL, "--out", copy));
      args.addAll(options);
      assertThat(motley(args.toArray())).as("%s", options).isEqualTo(Exit.USAGE.code());
      assertThat(err.toString().lines().filter(line -> line.startsWith("motley: "))).hasSize(1);
    }
    assertThat(folder).isEmptyDirectory();
  }
}
