// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import dev.motley.benchmarks.eager.Layers.LayerNorm;
import dev.motley.benchmarks.eager.Layers.Linear;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** vit-pytorch's ViT with a class token, over scaled_dot_product_attention. Its dropout is 0 by default. */
final class EagerVit implements EagerClassifier {

  static final Sizes BASE = new Sizes(16, 12, 12);
  static final Sizes BASE_PATCH_4 = new Sizes(4, 12, 12);

  private static final double EPS = 1e-5;

  /**
   * @param patch width and height of a patch
   * @param depth blocks
   * @param heads of attention
   */
  record Sizes(int patch, int depth, int heads) {}

  private record Block(
      LayerNorm norm,
      Linear qkv,
      Linear out,
      LayerNorm hiddenNorm,
      Linear hidden,
      Linear back,
      int heads) {

    static Block of(Parameters parameters, String name, int heads) {
      return new Block(
          parameters.layerNorm(name + "0.norm", EPS),
          parameters.linear(name + "0.to_qkv"),
          parameters.linear(name + "0.to_out.0"),
          parameters.layerNorm(name + "1.net.0", EPS),
          parameters.linear(name + "1.net.1"),
          parameters.linear(name + "1.net.4"),
          heads);
    }

    Tensor apply(Tensor x) {
      return Scopes.freeing(
          () -> {
            Tensor h = attention(norm.apply(x)).add(x);
            return back.apply(torch.gelu(hidden.apply(hiddenNorm.apply(h)))).add(h);
          });
    }

    private Tensor attention(Tensor x) {
      TensorVector qkv = this.qkv.apply(x).chunk(3, -1);
      Tensor h =
          torch.scaled_dot_product_attention(
              split(qkv.get(0)), split(qkv.get(1)), split(qkv.get(2)));
      return out.apply(h.transpose(1, 2).reshape(x.size(0), x.size(1), -1));
    }

    /** (n, tokens, width) as (n, heads, tokens, width / heads). */
    private Tensor split(Tensor x) {
      return x.view(x.size(0), x.size(1), heads, -1).transpose(1, 2);
    }
  }

  private final Parameters parameters;
  private final List<Tensor> trainable;
  private final int patch;
  private final LayerNorm pixelNorm;
  private final Linear embedding;
  private final LayerNorm patchNorm;
  private final Tensor classToken;
  private final Tensor positions;
  private final List<Block> blocks = new ArrayList<>();
  private final LayerNorm norm;
  private final Linear head;

  EagerVit(Parameters parameters, Sizes sizes) {
    this.parameters = parameters;
    trainable = parameters.trainable();
    patch = sizes.patch();
    pixelNorm = parameters.layerNorm("to_patch_embedding.1", EPS);
    embedding = parameters.linear("to_patch_embedding.2");
    patchNorm = parameters.layerNorm("to_patch_embedding.3", EPS);
    classToken = parameters.get("cls_token");
    positions = parameters.get("pos_embedding");
    for (int i = 0; i < sizes.depth(); i++) {
      blocks.add(Block.of(parameters, "transformer.layers." + i + ".", sizes.heads()));
    }
    norm = parameters.layerNorm("transformer.norm", EPS);
    head = parameters.linear("mlp_head");
  }

  @Override
  public List<Tensor> trainable() {
    return trainable;
  }

  @Override
  public Tensor forward(Tensor images, boolean training) {
    return Scopes.freeing(
        () -> {
          Tensor h = embed(images);
          for (Block block : blocks) {
            h = block.apply(h);
          }
          return head.apply(norm.apply(h).select(1, 0));
        });
  }

  /** (n, 3, h, w) -> (n, 1 + patches, width) */
  private Tensor embed(Tensor images) {
    return Scopes.freeing(
        () -> {
          Tensor tokens = patchNorm.apply(embedding.apply(pixelNorm.apply(patches(images))));
          Tensor classTokens = classToken.expand(images.size(0), 1, classToken.size(1));
          return torch.cat(new TensorVector(classTokens, tokens), 1).add_(positions);
        });
  }

  /** (n, 3, h, w) -> (n, patches, patch * patch * 3), the colours of a pixel together */
  private Tensor patches(Tensor images) {
    long n = images.size(0);
    long rows = images.size(2) / patch;
    long columns = images.size(3) / patch;
    return images
        .view(n, 3, rows, patch, columns, patch)
        .permute(0, 2, 4, 3, 5, 1)
        .reshape(n, rows * columns, -1);
  }

  @Override
  public void close() {
    parameters.close();
  }
}
