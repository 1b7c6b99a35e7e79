// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.ffi.NativeVisionEncoder;
import dev.motley.ffi.Tasks;
import dev.motley.ffi.TextConfig.Activation;
import dev.motley.image.RgbImage;
import dev.motley.weights.NativeTensors;
import dev.motley.weights.TensorView;
import dev.motley.weights.VisionConfig;
import java.util.List;
import java.util.Map;

/**
 * CLIP's vision encoder with its projection, as transformers' CLIPVisionModelWithProjection: pictures to embeddings, on which image
 * variations are conditioned and by which pictures are checked. Holds native memory: close it. For one thread at a time.
 */
public final class ImageEncoder implements AutoCloseable {
  /** Pictures encoded at a time: enough to fill the processors, at a few megabytes each. */
  private static final int BATCH = 16;

  private static final int CHANNELS = 3;

  private final String source;
  private final NativeVisionEncoder encoder;

  private ImageEncoder(String source, NativeVisionEncoder encoder) {
    this.source = source;
    this.encoder = encoder;
  }

  /**
   * Makes an encoder.
   *
   * @param source of the tensors, for errors
   * @param config its shape
   * @param tensors of a vision model or of a whole CLIP model, by transformers' names; read while the encoder is made
   * @param precision what it computes in
   * @throws InvalidInputException naming the source and each tensor that is missing, too many, or of another shape
   */
  public static ImageEncoder of(String source, VisionConfig config, Map<String, TensorView> tensors, Precision precision) {
    var shape =
        new dev.motley.ffi.VisionConfig(
            config.imageSize(), config.patchSize(), config.width(), config.layers(), config.heads(), config.mlpWidth(),
            config.projectionDim(), config.activation().equals("gelu") ? Activation.GELU : Activation.QUICK_GELU, precision,
            config.layerNormEps());
    return new ImageEncoder(
        source,
        NativeTensors.make(
            source, VisionConfig.encoderTensors(tensors).values(), weights -> NativeVisionEncoder.create(shape, weights)));
  }

  /** Values of an embedding: 768 for ViT-L/14. */
  public int width() {
    return encoder.config().projection();
  }

  /**
   * Encodes pictures. Each one's embedding is the same in any batch.
   *
   * @param pictures of any sizes, at least one
   * @param preprocessing how they become the encoder's input
   * @return (pictures, {@link #width}): embeddings after the projection, not scaled to length 1
   * @throws InvalidInputException if an embedding is not finite, which only damaged weights bring about
   */
  public float[] encode(List<RgbImage> pictures, ClipPreprocessing preprocessing) {
    if (pictures.isEmpty()) {
      throw new InvalidInputException("there is no picture to encode");
    }
    float[] embeddings = new float[Math.multiplyExact(pictures.size(), width())];
    for (int first = 0; first < pictures.size(); first += BATCH) {
      List<RgbImage> batch = pictures.subList(first, Math.min(first + BATCH, pictures.size()));
      float[] encoded = encoder.encode(inputs(batch, preprocessing));
      System.arraycopy(encoded, 0, embeddings, first * width(), encoded.length);
    }
    for (float value : embeddings) {
      if (!Float.isFinite(value)) {
        throw new InvalidInputException(source + ": embeddings of pictures are not finite; are the weights damaged?");
      }
    }
    return embeddings;
  }

  /** (pictures, 3, size, size). */
  private float[] inputs(List<RgbImage> pictures, ClipPreprocessing preprocessing) {
    int size = encoder.config().imageSize();
    int each = CHANNELS * size * size;
    float[] inputs = new float[Math.multiplyExact(pictures.size(), each)];
    Tasks.run(pictures.size(), i -> preprocessing.write(pictures.get(i), size, inputs, i * each));
    return inputs;
  }

  @Override
  public void close() {
    encoder.close();
  }
}
