// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.Progress;
import dev.motley.ProgressListener;
import dev.motley.files.AtomicFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Writes a model's networks and configurations in another layout, tensor by tensor, so that memory holds one at a time. The weights are
 * safetensors.
 */
public final class CheckpointWriter {
  private static final Map<String, String> METADATA = Map.of("format", "pt");

  private final Checkpoint model;
  private final Optional<DType> dtype;
  private final ProgressListener listener;
  private final long total;
  private long written;

  /**
   * @param model to write; stays open
   * @param dtype of what is written: F16, BF16 or F32; empty for each tensor's own
   * @param listener hears of every tensor; may stop
   * @throws InvalidInputException if a tensor of the model is missing, too many or of another shape than its configuration says
   */
  public CheckpointWriter(Checkpoint model, Optional<DType> dtype, ProgressListener listener) {
    this.model = model;
    this.dtype = dtype;
    this.listener = listener;
    this.total = model.parts().stream().mapToLong(this::bytes).sum();
    model.requireWhole();
  }

  /** Bytes that the weights will take. */
  public long bytes() {
    return total;
  }

  private long bytes(Part part) {
    return dtype.map(type -> type.bits() / Byte.SIZE * part.parameters()).orElseGet(part::bytes);
  }

  /**
   * Writes networks, configurations and {@code model_index.json} as a diffusers folder; not the tokenizer.
   *
   * @param folder made if absent
   * @throws InvalidInputException if a number does not fit the type, naming the tensor
   * @throws dev.motley.ResourceException if a file cannot be written
   * @throws CancelledException if the listener stopped it
   */
  public void writeFolder(Path folder) {
    for (Part part : model.parts()) {
      String name = part.name().equals("text_encoder") ? "model" : "diffusion_pytorch_model";
      Path file = folder.resolve(part.name()).resolve(name + ".safetensors");
      SafeTensorsWriter.write(file, sources(part, TensorView::name, Function.identity()), METADATA);
    }
    model.configFiles().forEach((name, text) -> AtomicFile.write(folder.resolve(name), text));
  }

  /**
   * Writes the networks as a single file in the layout of the latent diffusion code.
   *
   * @param file replaced if it exists
   * @throws InvalidInputException if the model is not Stable Diffusion v1, whose configurations that layout leaves out, or if a number does
   *     not fit the type, naming the tensor
   * @throws dev.motley.ResourceException if the file cannot be written
   * @throws CancelledException if the listener stopped it
   */
  public void writeSingle(Path file) {
    if (!model.isV1()) {
      throw new InvalidInputException(
          model.path() + ": has other configurations than Stable Diffusion v1, which a single file cannot say: write --to diffusers");
    }
    List<SafeTensorsWriter.Source> all = new ArrayList<>();
    sources(model.unet(), tensor -> LdmKeys.unet(tensor.name()), Function.identity()).forEach(all::add);
    sources(model.vae(), tensor -> LdmKeys.vae(tensor.name()), CheckpointWriter::asConvolution).forEach(all::add);
    sources(model.textEncoder(), tensor -> LdmKeys.text(tensor.name()), Function.identity()).forEach(all::add);
    SafeTensorsWriter.write(file, all.stream(), METADATA);
  }

  /** The matrices of the autoencoder's attention are 1 x 1 convolutions there. */
  private static TensorView asConvolution(TensorView tensor) {
    long[] shape = tensor.shape();
    return shape.length == 2 ? tensor.reshaped(shape[0], shape[1], 1, 1) : tensor;
  }

  private Stream<SafeTensorsWriter.Source> sources(
      Part part, Function<TensorView, String> name, Function<TensorView, TensorView> form) {
    return part.tensors().values().stream()
        .map(tensor -> {
          TensorView stored = form.apply(tensor);
          return new SafeTensorsWriter.Source(
              name.apply(tensor), dtype.orElse(stored.dtype()), stored.shape(), () -> converted(part, stored));
        });
  }

  private TensorView converted(Part part, TensorView tensor) {
    TensorView result = dtype.map(type -> Rounding.to(tensor, type)).orElse(tensor);
    written += result.bytes();
    if (!listener.onProgress(Progress.ofBytes("write", written, total, part.name()))) {
      throw new CancelledException("stopped while writing; nothing is left behind");
    }
    return result;
  }
}
