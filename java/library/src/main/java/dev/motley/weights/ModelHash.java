// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.ffi.Tasks;
import dev.motley.files.Sha256;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/**
 * SHA-256 over what decides a picture: the same for the same model in any layout. A network's hash covers the classic name, element type,
 * shape and bytes of each of its tensors; the whole covers the networks, the values of the configurations and the tokenizer.
 *
 * @param networks the hash of each part by its name
 * @param whole over all of them
 */
public record ModelHash(Map<String, String> networks, String whole) {

  /** Keeps the order. */
  public ModelHash {
    networks = Collections.unmodifiableMap(new LinkedHashMap<>(networks));
  }

  /**
   * The hash of one network; reads all of it, on as many threads as compute.
   *
   * @return in hexadecimal
   */
  public static String of(Part part) {
    return of(part, _ -> {});
  }

  /**
   * The same, telling how far it is.
   *
   * @param read hears on the calling thread, every few tensors, how many bytes were read so far; what it throws ends the reading
   */
  public static String of(Part part, LongConsumer read) {
    List<TensorView> sorted = List.copyOf(new TreeMap<>(part.tensors()).values());
    String[] tensors = new String[sorted.size()];
    Thread caller = Thread.currentThread();
    var bytes = new AtomicLong();
    Tasks.run(
        tensors.length,
        i -> {
          tensors[i] = of(sorted.get(i));
          long now = bytes.addAndGet(sorted.get(i).bytes());
          if (Thread.currentThread() == caller) {
            read.accept(now);
          }
        });
    return Sha256.of(String.join("\n", tensors).getBytes(StandardCharsets.UTF_8));
  }

  /**
   * The hash of a safety checker: of its tensors and of what its configuration says beyond their shapes.
   *
   * @return in hexadecimal
   */
  public static String of(SafetyCheckerWeights checker) {
    VisionConfig vision = checker.config();
    String config = line("vision", vision.imageSize(), vision.patchSize(), vision.heads(), vision.activation(), vision.layerNormEps());
    return Sha256.of((of(checker.part()) + "\n" + config).getBytes(StandardCharsets.UTF_8));
  }

  /** A line of a tensor's name, type, shape and the hash of its bytes; a 1 x 1 convolution counts as the matrix it is. */
  private static String of(TensorView tensor) {
    long[] shape = tensor.shape();
    boolean matrix = shape.length == 4 && shape[2] == 1 && shape[3] == 1;
    MessageDigest digest = Sha256.begin();
    digest.update(tensor.data()); // in pieces, from where the file is mapped
    return "%s %s %s %s"
        .formatted(
            tensor.name(),
            tensor.dtype(),
            Arrays.toString(matrix ? Arrays.copyOf(shape, 2) : shape),
            Sha256.hex(digest));
  }

  /**
   * The hash of a model.
   *
   * @param networks the hash of each of {@link Checkpoint#parts} by its name
   * @param checkpoint for the configurations
   * @param tokenizer the hash of the tokenizer that goes with it
   */
  public static ModelHash of(Map<String, String> networks, Checkpoint checkpoint, String tokenizer) {
    var text = new StringBuilder();
    new TreeMap<>(networks).forEach((name, hash) -> text.append(name).append(' ').append(hash).append('\n'));
    text.append(networks(checkpoint.unetConfig(), checkpoint.vaeConfig(), checkpoint.textConfig()));
    text.append(schedule(checkpoint.schedulerConfig())).append("tokenizer ").append(tokenizer).append('\n');
    return new ModelHash(networks, Sha256.of(text.toString().getBytes(StandardCharsets.UTF_8)));
  }

  /** What configurations say beyond the tensors' shapes, and these; not the size of training pictures, nor stale token ids. */
  static String networks(UNetConfig unet, VaeConfig vae, TextConfig text) {
    return line(
            "unet",
            unet.inChannels(),
            unet.outChannels(),
            unet.blockOutChannels(),
            unet.downBlockTypes(),
            unet.upBlockTypes(),
            unet.midBlockType(),
            unet.layersPerBlock(),
            unet.crossAttentionDim(),
            unet.attentionHeads(),
            unet.normNumGroups(),
            unet.normEps(),
            unet.flipSinToCos(),
            unet.freqShift(),
            unet.useLinearProjection(),
            unet.downsamplePadding())
        + line(
            "vae",
            vae.inChannels(),
            vae.outChannels(),
            vae.blockOutChannels(),
            vae.layersPerBlock(),
            vae.latentChannels(),
            vae.normNumGroups(),
            vae.scalingFactor(),
            vae.useQuantConv(),
            vae.usePostQuantConv(),
            vae.midBlockAddAttention())
        + line(
            "text",
            text.vocabSize(),
            text.positions(),
            text.width(),
            text.layers(),
            text.heads(),
            text.mlpWidth(),
            text.activation(),
            text.layerNormEps());
  }

  static String schedule(SchedulerConfig schedule) {
    return line(
        "schedule",
        schedule.numTrainTimesteps(),
        schedule.betaStart(),
        schedule.betaEnd(),
        schedule.betaSchedule(),
        schedule.stepsOffset(),
        schedule.setAlphaToOne(),
        schedule.clipSample(),
        schedule.timestepSpacing(),
        schedule.predictionType());
  }

  private static String line(Object... values) {
    return String.join(" ", Arrays.stream(values).map(String::valueOf).toList()) + "\n";
  }
}
