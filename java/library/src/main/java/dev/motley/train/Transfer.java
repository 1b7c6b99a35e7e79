// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import dev.motley.InvalidInputException;
import dev.motley.Precision;
import dev.motley.ffi.TensorInfo;
import dev.motley.files.FileFailure;
import dev.motley.files.Sha256;
import dev.motley.weights.SafeTensors;
import dev.motley.weights.TensorView;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A training that begins with the weights of another one. The head is kept where both have the same classes in the same order, else
 * drawn anew.
 *
 * @param model a classifier of the recipe's architecture: its file or the folder of its training
 * @param headOnly whether only the layer that makes the logits is trained; the rest then computes as in evaluation
 */
public record Transfer(Path model, boolean headOnly) {

  /** What decides the weights to begin with, and which of them are trained, as a text. */
  public String identity() {
    Path file = Classifier.file(model);
    try {
      return Sha256.of(file) + (headOnly ? " head" : " all");
    } catch (IOException e) {
      throw FileFailure.reading(file, e);
    }
  }

  /** The network to begin with. */
  Classifier begin(ClassifierSpec spec, Precision precision, long seed) {
    Path file = Classifier.file(model);
    try (SafeTensors given = SafeTensors.open(file)) {
      ClassifierSpec has = ClassifierSpec.fromMetadata(file, given.metadata());
      if (!has.architecture().equals(spec.architecture()) || has.stem() != spec.stem()) {
        throw new InvalidInputException(
            "%s is a %s with the %s stem, the recipe trains a %s with the %s stem"
                .formatted(file, has.architecture(), has.stem().id(), spec.architecture(), spec.stem().id()));
      }
      var tensors = new LinkedHashMap<>(given.tensors());
      Classifier.requireFinite(file, tensors.values());
      if (!has.classNames().equals(spec.classNames())) {
        tensors.putAll(head(spec, precision, seed));
      }
      return Classifier.of(file.toString(), tensors.values(), spec, precision);
    }
  }

  private static Map<String, TensorView> head(ClassifierSpec spec, Precision precision, long seed) {
    try (Classifier fresh = Classifier.create(spec, precision, seed)) {
      return fresh.network().tensors().stream()
          .filter(TensorInfo::head)
          .collect(
              Collectors.toMap(
                  TensorInfo::name, t -> TensorView.ofFloats(t.name(), Classifier.shape(t), fresh.values(t.name()))));
    }
  }
}
