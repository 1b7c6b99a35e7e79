// SPDX-License-Identifier: Apache-2.0
package dev.motley.onnx;

import static dev.motley.onnx.Layout.NCHW;
import static dev.motley.onnx.Layout.NHWC;

import dev.motley.MotleyVersion;
import dev.motley.ResourceException;
import dev.motley.ffi.NetworkGraph;
import dev.motley.ffi.NetworkGraph.Node;
import dev.motley.files.AtomicFile;
import dev.motley.onnx.OnnxModel.Attribute;
import dev.motley.onnx.OnnxModel.Attribute.Real;
import dev.motley.onnx.OnnxModel.Attribute.Whole;
import dev.motley.onnx.OnnxModel.Attribute.Wholes;
import dev.motley.train.Classifier;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Writes a classifier as ONNX (opset 20): input {@code input} (batch, 3, size, size) float32, normalised; output {@code logits} (batch,
 * classes). Weights keep their names; the metadata tell classes, size and normalisation. The graph is the one that the native core
 * computes, in evaluation mode.
 */
public final class OnnxExport {
  private static final String INPUT = "input";
  private static final String OUTPUT = "logits";

  private final Classifier classifier;
  private final OnnxModel model = new OnnxModel();
  private final Values values = new Values(model);

  private OnnxExport(Classifier classifier) {
    this.classifier = classifier;
  }

  /**
   * Writes a file.
   *
   * @param classifier whose weights and spec to write
   * @param file replaced as a whole, or not at all
   * @throws ResourceException if it cannot be written
   */
  public static void write(Classifier classifier, Path file) {
    Message message = new OnnxExport(classifier).message();
    AtomicFile.write(file, message::writeTo);
  }

  private Message message() {
    long size = classifier.spec().imageSize();
    NetworkGraph graph = classifier.graph();
    values.add(INPUT, INPUT, NCHW);
    graph.nodes().forEach(this::add);
    model.node("Identity", List.of(values.plain(graph.output())), OUTPUT);
    return model.finished(
        classifier.spec().architecture(),
        INPUT,
        List.of(0L, 3L, size, size),
        OUTPUT,
        List.of(0L, (long) classifier.spec().classNames().size()),
        MotleyVersion.current(),
        classifier.metadata());
  }

  private void add(Node node) {
    switch (node.op()) {
      case "cast" -> values.same(node.output(), value(node, 0));
      case "conv2d" -> made(node, NCHW, convolution(node, pads(node), 1));
      case "depthwise_conv2d" -> {
        List<Long> weight = classifier.shape(value(node, 1));
        long pad = weight.getLast() / 2;
        made(node, NCHW, convolution(node, new Wholes("pads", pad, pad, pad, pad), weight.getFirst()));
      }
      case "batch_norm" -> made(node, NCHW, batchNorm(node));
      case "max_pool" ->
          made(
              node,
              NCHW,
              model.node(
                  "MaxPool",
                  List.of(values.in(NCHW, value(node, 0))),
                  new Wholes("kernel_shape", 3, 3),
                  new Wholes("strides", 2, 2),
                  new Wholes("pads", 1, 1, 1, 1)));
      case "thinned" -> made(node, NCHW, thinned(node));
      case "global_average_pool" -> {
        String pooled = model.node("GlobalAveragePool", List.of(values.in(NCHW, value(node, 0))));
        values.add(node.output(), model.node("Flatten", List.of(pooled), new Whole("axis", 1)));
      }
      case "channel_means" -> made(node, NCHW, model.node("GlobalAveragePool", List.of(values.in(NCHW, value(node, 0)))));
      case "excite" -> {
        String factor =
            model.node("HardSigmoid", List.of(values.in(NCHW, value(node, 1))), new Real("alpha", 1f / 6), new Real("beta", 0.5f));
        made(node, NCHW, model.node("Mul", List.of(values.in(NCHW, value(node, 0)), factor)));
      }
      case "layer_norm" -> like(node, 0, "LayerNormalization", NHWC, new Whole("axis", -1), eps(node));
      case "gelu" -> sameLayout(node, "Gelu");
      case "relu" -> sameLayout(node, "Relu");
      case "hard_swish" -> sameLayout(node, "HardSwish");
      case "linear" -> linear(node);
      case "patches" -> made(node, NHWC, patches(node));
      case "embed_tokens" -> made(node, NHWC, embedTokens(node));
      case "first_tokens" -> made(node, NHWC, firstTokens(node));
      case "self_attention" -> made(node, NHWC, selfAttention(node));
      case "add_branch" -> {
        String scale = value(node, 2);
        String vector = model.floats(scale, List.of(classifier.shape(scale).getFirst()), () -> classifier.values(scale));
        String scaled = model.node("Mul", List.of(values.in(NHWC, value(node, 1)), vector));
        made(node, NHWC, model.node("Add", List.of(values.in(NHWC, value(node, 0)), scaled)));
      }
      default -> throw new IllegalStateException("the export knows no op " + node.op());
    }
  }

  private String convolution(Node node, Attribute pads, long groups) {
    long stride = (long) node.attribute("stride");
    List<String> inputs =
        Stream.concat(
                Stream.of(values.in(NCHW, value(node, 0)), tensor(value(node, 1))), optional(node, 2).map(this::tensor).stream())
            .toList();
    return model.node("Conv", inputs, new Wholes("strides", stride, stride), pads, new Whole("group", groups));
  }

  private static Attribute pads(Node node) {
    return new Wholes(
        "pads",
        (long) node.attribute("top"),
        (long) node.attribute("left"),
        (long) node.attribute("bottom"),
        (long) node.attribute("right"));
  }

  private String batchNorm(Node node) {
    var inputs = new ArrayList<String>();
    inputs.add(values.in(NCHW, value(node, 0)));
    for (int i = 1; i <= 4; i++) {
      inputs.add(tensor(value(node, i)));
    }
    String y = model.node("BatchNormalization", inputs, eps(node));
    if (optional(node, 5).isPresent()) {
      y = model.node("Add", List.of(y, values.in(NCHW, value(node, 5))));
    }
    if (node.attribute("hard_swish") != 0) {
      return model.node("HardSwish", List.of(y));
    }
    return node.attribute("relu") != 0 ? model.node("Relu", List.of(y)) : y;
  }

  /** Every second pixel, and zeros before and after the channels. */
  private String thinned(Node node) {
    String x = values.in(NCHW, value(node, 0));
    long channels = node.shape().getLast();
    long from = values.channels(value(node, 0));
    long before = (channels - from) / 2;
    String every =
        model.node(
            "Slice",
            List.of(x, model.wholes(0, 0), model.wholes(Integer.MAX_VALUE, Integer.MAX_VALUE), model.wholes(2, 3), model.wholes(2, 2)));
    return model.node("Pad", List.of(every, model.wholes(0, before, 0, 0, 0, channels - from - before, 0, 0)));
  }

  /** Of two dimensions as torch exports it; of more, with the weight transposed first, which runtimes do while they load. */
  private void linear(Node node) {
    String weight = tensor(value(node, 1));
    Optional<String> bias = optional(node, 2).map(this::tensor);
    String y;
    if (node.shape().size() == 2) {
      var inputs = new ArrayList<>(List.of(values.plain(value(node, 0)), weight));
      bias.ifPresent(inputs::add);
      y = model.node("Gemm", inputs, new Whole("transB", 1));
    } else {
      String turned = model.node("Transpose", List.of(weight), new Wholes("perm", 1, 0));
      y = model.node("MatMul", List.of(values.in(NHWC, value(node, 0)), turned));
      if (bias.isPresent()) {
        y = model.node("Add", List.of(y, bias.get()));
      }
    }
    if (optional(node, 3).isPresent()) {
      y = model.node("Add", List.of(y, values.in(NHWC, value(node, 3))));
    }
    made(node, NHWC, y);
  }

  /** Rows of p pixels from p lines: (n, S / p, p, S / p, p * C), the two in the middle exchanged. */
  private String patches(Node node) {
    long size = (long) node.attribute("size");
    long tokens = node.shape().get(1);
    long width = node.shape().getLast();
    long across = Math.round(Math.sqrt(tokens));
    String apart = model.node("Reshape", List.of(values.in(NHWC, value(node, 0)), model.wholes(0, across, size, across, width / size)));
    String turned = model.node("Transpose", List.of(apart), new Wholes("perm", 0, 1, 3, 2, 4));
    return model.node("Reshape", List.of(turned, model.wholes(0, tokens, width)));
  }

  /** The class token is added to the first position, and the sum to the sequence behind a token of zeros. */
  private String embedTokens(Node node) {
    long patches = node.shape().get(1) - 1;
    String token = model.node("Pad", List.of(tensor(value(node, 1)), model.wholes(0, 0, patches, 0)));
    String offsets = model.node("Add", List.of(tensor(value(node, 2)), token));
    String moved = model.node("Pad", List.of(values.plain(value(node, 0)), model.wholes(0, 1, 0, 0, 0, 0)));
    return model.node("Add", List.of(moved, offsets));
  }

  private String firstTokens(Node node) {
    String first = model.node("Gather", List.of(values.plain(value(node, 0)), model.wholes(0)), new Whole("axis", 1));
    return model.node("Flatten", List.of(first), new Whole("axis", 1));
  }

  private String selfAttention(Node node) {
    long heads = (long) node.attribute("heads");
    long tokens = node.shape().get(1);
    long width = node.shape().getLast();
    String apart = model.node("Reshape", List.of(values.plain(value(node, 0)), model.wholes(0, tokens, 3 * heads, width / heads)));
    String queries = heads(apart, 0, heads, 0, 2, 1, 3);
    String keys = heads(apart, 1, heads, 0, 2, 3, 1);
    String seen = heads(apart, 2, heads, 0, 2, 1, 3);
    float scale = (float) (1 / Math.sqrt((double) width / heads));
    String factor = model.floats("attention_scale", List.of(1L), () -> new float[] {scale});
    String scores = model.node("Mul", List.of(model.node("MatMul", List.of(queries, keys)), factor));
    String weights = model.node("Softmax", List.of(scores), new Whole("axis", -1));
    String sums = model.node("Transpose", List.of(model.node("MatMul", List.of(weights, seen))), new Wholes("perm", 0, 2, 1, 3));
    return model.node("Reshape", List.of(sums, model.wholes(0, tokens, width)));
  }

  /** Queries, keys or values (part 0, 1, 2) of (n, tokens, 3 * heads, head size), turned. */
  private String heads(String apart, long part, long heads, long... permutation) {
    String own = model.node("Slice", List.of(apart, model.wholes(part * heads), model.wholes((part + 1) * heads), model.wholes(2)));
    return model.node("Transpose", List.of(own), new Wholes("perm", permutation));
  }

  /** A node whose first input is an activation, the others tensors. */
  private void like(Node node, int activation, String type, Layout layout, Attribute... attributes) {
    var inputs = new ArrayList<String>();
    inputs.add(values.in(layout, value(node, activation)));
    for (int i = activation + 1; i < node.inputs().size(); i++) {
      optional(node, i).map(this::tensor).ifPresent(inputs::add);
    }
    made(node, layout, model.node(type, inputs, attributes));
  }

  /** Of every element, in the layout that is there. */
  private void sameLayout(Node node, String type) {
    Layout layout = values.layout(value(node, 0));
    made(node, layout, model.node(type, List.of(values.in(layout, value(node, 0)))));
  }

  private void made(Node node, Layout layout, String name) {
    if (node.shape().size() == 4) {
      values.add(node.output(), name, layout, node.shape().getLast());
    } else {
      values.add(node.output(), name);
    }
  }

  private static Attribute eps(Node node) {
    return new Real("epsilon", (float) node.attribute("eps"));
  }

  private String tensor(String name) {
    return model.floats(name, classifier.shape(name), () -> classifier.values(name));
  }

  private static Optional<String> optional(Node node, int index) {
    return index < node.inputs().size() ? node.inputs().get(index) : Optional.empty();
  }

  private static String value(Node node, int index) {
    return optional(node, index)
        .orElseThrow(() -> new IllegalStateException("%s lacks its input %d".formatted(node.op(), index)));
  }
}
