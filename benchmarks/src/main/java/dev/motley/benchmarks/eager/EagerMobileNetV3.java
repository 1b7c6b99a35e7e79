// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import dev.motley.benchmarks.eager.Layers.BatchNorm;
import dev.motley.benchmarks.eager.Layers.Conv;
import dev.motley.benchmarks.eager.Layers.Linear;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** torchvision's mobilenet_v3_small. */
final class EagerMobileNetV3 implements EagerClassifier {

  private static final double MOMENTUM = 0.01;
  private static final double EPS = 1e-3;
  private static final double DROPOUT = 0.2;

  private record Plan(
      int kernel, boolean expands, boolean squeezes, UnaryOperator<Tensor> activation, int stride) {}

  private static final UnaryOperator<Tensor> RELU = torch::relu_;
  private static final UnaryOperator<Tensor> HARD_SWISH = torch::hardswish_;
  private static final UnaryOperator<Tensor> NONE = UnaryOperator.identity();

  private static final List<Plan> PLANS =
      List.of(
          new Plan(3, false, true, RELU, 2),
          new Plan(3, true, false, RELU, 2),
          new Plan(3, true, false, RELU, 1),
          new Plan(5, true, true, HARD_SWISH, 2),
          new Plan(5, true, true, HARD_SWISH, 1),
          new Plan(5, true, true, HARD_SWISH, 1),
          new Plan(5, true, true, HARD_SWISH, 1),
          new Plan(5, true, true, HARD_SWISH, 1),
          new Plan(5, true, true, HARD_SWISH, 2),
          new Plan(5, true, true, HARD_SWISH, 1),
          new Plan(5, true, true, HARD_SWISH, 1));

  /** torchvision's Conv2dNormActivation. */
  private record Unit(Conv conv, BatchNorm norm, UnaryOperator<Tensor> activation) {

    static Unit of(
        Parameters parameters, String name, Conv conv, UnaryOperator<Tensor> activation) {
      return new Unit(conv, parameters.batchNorm(name + ".1", MOMENTUM, EPS), activation);
    }

    Tensor apply(Tensor x, boolean training) {
      return activation.apply(norm.apply(conv.apply(x), training));
    }
  }

  private record SqueezeExcitation(Conv fc1, Conv fc2) {

    static SqueezeExcitation of(Parameters parameters, String name) {
      return new SqueezeExcitation(
          parameters.conv(name + ".fc1", 1, 0), parameters.conv(name + ".fc2", 1, 0));
    }

    Tensor apply(Tensor x) {
      Tensor squeezed = torch.relu_(fc1.apply(torch.adaptive_avg_pool2d(x, 1, 1)));
      return torch.hardsigmoid(fc2.apply(squeezed)).mul(x);
    }
  }

  private record Block(
      Optional<Unit> expand,
      Unit filter,
      Optional<SqueezeExcitation> excite,
      Unit project,
      boolean residual) {

    static Block of(Parameters parameters, String name, Plan plan) {
      int layer = 0;
      Optional<Unit> expand = Optional.empty();
      if (plan.expands()) {
        String at = name + layer++;
        expand =
            Optional.of(Unit.of(parameters, at, parameters.conv(at + ".0", 1, 0), plan.activation()));
      }
      String filter = name + layer++;
      Conv depthwise = parameters.depthwise(filter + ".0", plan.stride(), plan.kernel() / 2);
      Optional<SqueezeExcitation> excite =
          plan.squeezes()
              ? Optional.of(SqueezeExcitation.of(parameters, name + layer++))
              : Optional.empty();
      String project = name + layer;
      Conv last = parameters.conv(project + ".0", 1, 0);
      long in = expand.map(Unit::conv).orElse(depthwise).weight().size(1);
      boolean residual = plan.stride() == 1 && in == last.weight().size(0);
      return new Block(
          expand,
          Unit.of(parameters, filter, depthwise, plan.activation()),
          excite,
          Unit.of(parameters, project, last, NONE),
          residual);
    }

    Tensor apply(Tensor x, boolean training) {
      return Scopes.freeing(
          () -> {
            Tensor h = expand.isPresent() ? expand.get().apply(x, training) : x;
            h = filter.apply(h, training);
            h = excite.isPresent() ? excite.get().apply(h) : h;
            h = project.apply(h, training);
            return residual ? h.add_(x) : h;
          });
    }
  }

  private final Parameters parameters;
  private final List<Tensor> trainable;
  private final double dropout;
  private final Unit stem;
  private final List<Block> blocks = new ArrayList<>();
  private final Unit last;
  private final Linear hidden;
  private final Linear head;

  EagerMobileNetV3(Parameters parameters, boolean stochastic) {
    this.parameters = parameters;
    trainable = parameters.trainable();
    dropout = stochastic ? DROPOUT : 0;
    stem = Unit.of(parameters, "features.0", parameters.conv("features.0.0", 2, 1), HARD_SWISH);
    for (int i = 0; i < PLANS.size(); i++) {
      blocks.add(Block.of(parameters, "features." + (i + 1) + ".block.", PLANS.get(i)));
    }
    String end = "features." + (PLANS.size() + 1);
    last = Unit.of(parameters, end, parameters.conv(end + ".0", 1, 0), HARD_SWISH);
    hidden = parameters.linear("classifier.0");
    head = parameters.linear("classifier.3");
  }

  @Override
  public List<Tensor> trainable() {
    return trainable;
  }

  @Override
  public Tensor forward(Tensor images, boolean training) {
    return Scopes.freeing(
        () -> {
          Tensor h = stem.apply(images.contiguous(parameters.format()), training);
          for (Block block : blocks) {
            h = block.apply(h, training);
          }
          h = torch.adaptive_avg_pool2d(last.apply(h, training), 1, 1).flatten(1, -1);
          h = torch.hardswish_(hidden.apply(h));
          return head.apply(torch.dropout(h, dropout, training));
        });
  }

  @Override
  public void close() {
    parameters.close();
  }
}
