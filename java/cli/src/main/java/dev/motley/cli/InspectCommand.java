// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.CancelledException;
import dev.motley.MotleyException;
import dev.motley.Progress;
import dev.motley.ProgressListener;
import dev.motley.files.FileFailure;
import dev.motley.files.Sha256;
import dev.motley.text.ClipTokenizer;
import dev.motley.weights.Checkpoint;
import dev.motley.weights.DType;
import dev.motley.weights.Inspection;
import dev.motley.weights.ModelHash;
import dev.motley.weights.Part;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code motley inspect}. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    description = "Tells what a diffusion model, or any file of tensors, holds, and what is wrong with it; exit code 2 if something is.",
    footer = {"", "Example: ./motley inspect models/clothes --hash"})
final class InspectCommand implements Callable<Integer> {
  /** Files whose hashes their publishers, or the copies of them, give. */
  private static final Map<String, String> PUBLISHED =
      Map.of(
          "fe4efff1e174c627256e44ec2991ba279b3816e364b49f9be2abc0b3ff3f8556", "sd-v1-4.ckpt",
          "14749efc0ae8ef0329391ad4436feb781b402f4fece4883c7ad8d10556d8a36a", "sd-v1-4-full-ema.ckpt");

  private static final double MEGABYTE = 1e6;

  private final Context context;

  @Parameters(paramLabel = "PATH", description = "A model's folder or file, or any file of tensors.")
  private Path path;

  @Option(names = "--hash", description = "Also read all weights and print SHA-256 hashes; those of a model's networks are the same in any layout.")
  private boolean hash;

  @Option(names = "--ema", negatable = true, description = "As in 'sample': look at the UNet's averaged weights, or those before averaging.")
  private Optional<Boolean> averaged = Optional.empty();

  InspectCommand(Context context) {
    this.context = context;
  }

  @Override
  public Integer call() {
    try (Inspection found = Inspection.of(path, ConvertCommand.ema(averaged))) {
      List<String> faults = new ArrayList<>(found.faults());
      Optional<ClipTokenizer> tokenizer = found.checkpoint().flatMap(model -> tokenizer(model, faults));
      PrintWriter out = context.out();
      describe(found, tokenizer);
      parts(found.parts());
      if (hash) {
        context.work(listener -> {
          hashes(found, tokenizer, listener);
          return path;
        });
      }
      if (!faults.isEmpty()) {
        out.printf("%nfaults%n");
        faults.forEach(fault -> out.println("  " + fault));
        context.err().printf("motley: %s: %d %s, listed above%n", path, faults.size(), faults.size() == 1 ? "fault" : "faults");
      }
      out.flush();
      return (faults.isEmpty() ? Exit.OK : Exit.USAGE).code();
    }
  }

  private static Optional<ClipTokenizer> tokenizer(Checkpoint model, List<String> faults) {
    try {
      return Optional.of(ClipTokenizer.of(model));
    } catch (MotleyException e) {
      faults.add(e.getMessage());
      return Optional.empty();
    }
  }

  private void describe(Inspection found, Optional<ClipTokenizer> tokenizer) {
    line("path", found.path().toString());
    line("holds", found.kind());
    line("layout", found.layout());
    found.checkpoint().ifPresent(model -> {
      var schedule = model.schedulerConfig();
      line("pictures", model.nativeSize().map(size -> size + "x" + size + " pixels").orElse("size not said"));
      line(
          "schedule",
          String.format(
              Locale.ROOT,
              "%s from %s to %s, %d steps, predicts %s",
              schedule.betaSchedule(),
              schedule.betaStart(),
              schedule.betaEnd(),
              schedule.numTrainTimesteps(),
              schedule.predictionType()));
      tokenizer.ifPresent(
          of -> line("tokenizer", String.format(Locale.ROOT, "%,d tokens, ", of.vocabularySize()) + (model.tokenizerFolder().isPresent() ? "its own" : "CLIP's, built in")));
    });
    if (!found.averaged().isEmpty()) {
      line("ema", found.averaged());
    }
  }

  private void line(String name, String value) {
    context.out().printf("%-16s%s%n", name, value);
  }

  private void parts(List<Part> parts) {
    if (parts.isEmpty()) {
      return;
    }
    PrintWriter out = context.out();
    out.printf("%n%-16s%8s%16s%14s  %-10s %s%n", "part", "tensors", "parameters", "size", "type", "file");
    for (Part part : parts) {
      out.printf(
          Locale.ROOT,
          "%-16s%,8d%,16d%,11.1f MB  %-10s %s%n",
          part.name(),
          part.tensors().size(),
          part.parameters(),
          part.bytes() / MEGABYTE,
          types(part.dtypes()),
          Files.isDirectory(path) ? path.relativize(part.file()) : part.file().getFileName());
    }
  }

  /** {@code F16}, or {@code F32 x 3, I64} where there are several. */
  private static String types(Map<DType, Integer> counts) {
    return counts.size() == 1
        ? counts.keySet().iterator().next().name()
        : counts.entrySet().stream().map(entry -> entry.getKey() + " x " + entry.getValue()).collect(Collectors.joining(", "));
  }

  private void hashes(Inspection found, Optional<ClipTokenizer> tokenizer, ProgressListener listener) {
    Map<String, String> networks = new LinkedHashMap<>();
    Map<String, String> others = new LinkedHashMap<>();
    long total = found.parts().stream().mapToLong(Part::bytes).sum();
    long done = 0;
    tell(listener, done, total);
    for (Part part : found.parts()) {
      long before = done;
      boolean draws = !part.name().equals("safety_checker") && !part.name().equals("file");
      (draws ? networks : others).put(part.name(), ModelHash.of(part, read -> tell(listener, before + read, total)));
      done += part.bytes();
      tell(listener, done, total);
    }
    context.out().printf("%nSHA-256%n");
    networks.forEach(this::line);
    others.forEach(this::line);
    tokenizer.ifPresent(of -> line("tokenizer", of.hash()));
    if (found.checkpoint().isPresent() && tokenizer.isPresent()) {
      line("model", ModelHash.of(networks, found.checkpoint().get(), tokenizer.get().hash()).whole());
    }
    if (Files.isRegularFile(path)) {
      String file = fileHash();
      line("this file", file + (PUBLISHED.containsKey(file) ? " (published as " + PUBLISHED.get(file) + ")" : ""));
    }
  }

  private static void tell(ProgressListener listener, long done, long total) {
    if (!listener.onProgress(Progress.ofBytes("hash", done, total, ""))) {
      throw new CancelledException("stopped while hashing");
    }
  }

  private String fileHash() {
    try {
      return Sha256.of(path);
    } catch (IOException e) {
      throw FileFailure.reading(path, e);
    }
  }
}
