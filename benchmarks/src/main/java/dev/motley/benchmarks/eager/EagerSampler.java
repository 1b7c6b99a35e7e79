// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks.eager;

import dev.motley.weights.SchedulerConfig;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * diffusers' StableDiffusionPipeline after the text encoder: DDIM with classifier-free guidance,
 * conditional and unconditional halves in one doubled batch, eta 0.
 */
public final class EagerSampler {

  private final EagerUNet unet;
  private final SchedulerConfig config;
  private final double[] alphas;

  /**
   * Computes the schedule.
   *
   * @param unet predicts the noise; must outlive the sampler
   * @param config a DDIM schedule: scaled linear betas, leading spacing, epsilon prediction
   */
  public EagerSampler(EagerUNet unet, SchedulerConfig config) {
    this.unet = unet;
    this.config = config;
    alphas = alphas(config);
  }

  private static double[] alphas(SchedulerConfig config) {
    if (!config.betaSchedule().equals("scaled_linear")) {
      throw new IllegalArgumentException("expected scaled_linear, found " + config.betaSchedule());
    }
    int n = config.numTrainTimesteps();
    double first = Math.sqrt(config.betaStart());
    double last = Math.sqrt(config.betaEnd());
    double[] alphas = new double[n];
    double product = 1;
    for (int i = 0; i < n; i++) {
      double root = first + (last - first) * i / (n - 1);
      product *= 1 - root * root;
      alphas[i] = product;
    }
    return alphas;
  }

  /**
   * Denoises.
   *
   * @param latents (n, channels, h, w) initial noise
   * @param negative (n, tokens, width) encoded negative prompts
   * @param positive (n, tokens, width) encoded prompts
   * @param guidance (n, 1, 1, 1)
   * @param steps number of DDIM steps
   * @return denoised latents, still scaled, owned by the current scope
   */
  public Tensor sample(
      Tensor latents, Tensor negative, Tensor positive, Tensor guidance, int steps) {
    return Scopes.freeing(
        () -> {
          new InferenceMode(true); // ends with this block's scope
          Tensor context = torch.cat(new TensorVector(negative, positive), 0);
          long doubled = context.size(0);
          int stride = config.numTrainTimesteps() / steps;
          Tensor x = latents;
          for (int step = steps - 1; step >= 0; step--) {
            int t = step * stride + config.stepsOffset();
            Tensor before = x;
            x = Scopes.freeing(() -> step(before, t, stride, context, doubled, guidance));
            // Two latents live at most; the enclosing block would keep all of them.
            if (before != latents) {
              PointerScope.getInnerScope().detach(before);
            }
          }
          return x;
        });
  }

  private Tensor step(
      Tensor x, int t, int stride, Tensor context, long doubled, Tensor guidance) {
    Tensor times = torch.full(new long[] {doubled}, new Scalar((double) t));
    Tensor eps = unet.forward(torch.cat(new TensorVector(x, x), 0), times, context);
    TensorVector halves = torch.chunk(eps, 2, 0);
    Tensor unconditional = halves.get(0);
    Tensor guided = unconditional.add(guidance.mul(halves.get(1).sub(unconditional)));
    double alpha = alphas[t];
    double alphaBefore =
        t >= stride ? alphas[t - stride] : config.setAlphaToOne() ? 1 : alphas[0];
    Tensor x0 =
        x.sub(guided.mul(new Scalar(Math.sqrt(1 - alpha)))).div(new Scalar(Math.sqrt(alpha)));
    return x0.mul(new Scalar(Math.sqrt(alphaBefore)))
        .add(guided.mul(new Scalar(Math.sqrt(1 - alphaBefore))));
  }
}
