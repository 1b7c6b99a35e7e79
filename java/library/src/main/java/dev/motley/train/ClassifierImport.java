// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.weights.TensorFile;
import dev.motley.weights.TensorView;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Takes over a classifier that was trained elsewhere: a state dict of PyTorch, by the names of the original implementation. */
public final class ClassifierImport {

  /** What PyTorch's wrappers put before every name: DataParallel, torch.compile, Lightning. */
  private static final List<String> WRAPPERS = List.of("module.", "_orig_mod.", "model.");

  /** BatchNorm's counter, which state dicts of before 2018 lack; nothing depends on it where momentum is given. */
  private static final String COUNTER = ".num_batches_tracked";

  private static final String MEAN = ".running_mean";

  private ClassifierImport() {}

  /**
   * Reads the weights of a network.
   *
   * @param weights safetensors, or a PyTorch checkpoint (.pt, .pth, .bin) of tensors alone or with a {@code state_dict}
   * @param spec the network that the weights are of, what its logits stand for, and the input that it was trained with
   * @param precision what the network computes in
   * @return the classifier
   * @throws InvalidInputException if the file is damaged or holds another network; names each tensor that is missing, not the
   *     network's, or of another shape
   */
  public static Classifier read(Path weights, ClassifierSpec spec, Precision precision) {
    try (TensorFile file = TensorFile.open(weights)) {
      Map<String, TensorView> tensors = unwrapped(file.tensors());
      for (String name : List.copyOf(tensors.keySet())) {
        if (name.endsWith(MEAN)) {
          String counter = name.substring(0, name.length() - MEAN.length()) + COUNTER;
          tensors.computeIfAbsent(counter, absent -> TensorView.ofLongs(absent, new long[0], 0));
        }
      }
      List<TensorView> all = List.copyOf(tensors.values());
      Classifier.requireFinite(weights, all);
      return Classifier.of(weights.toString(), all, spec, precision);
    }
  }

  /** Without the prefixes that all names share: one wrapper may hold another, in any order. */
  private static Map<String, TensorView> unwrapped(Map<String, TensorView> tensors) {
    var bare = new LinkedHashMap<>(tensors);
    for (var wrapper = wrapper(bare.keySet()); wrapper.isPresent(); wrapper = wrapper(bare.keySet())) {
      int length = wrapper.get().length();
      List<TensorView> wrapped = List.copyOf(bare.values());
      bare.clear();
      wrapped.stream().map(t -> t.renamed(t.name().substring(length))).forEach(t -> bare.put(t.name(), t));
    }
    return bare;
  }

  private static Optional<String> wrapper(Set<String> names) {
    return WRAPPERS.stream().filter(w -> !names.isEmpty() && names.stream().allMatch(name -> name.startsWith(w))).findFirst();
  }
}
