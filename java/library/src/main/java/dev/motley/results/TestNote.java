// SPDX-License-Identifier: Apache-2.0
package dev.motley.results;

import dev.motley.config.Tree;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Of what the {@code evaluation.json} beside a model is the result.
 *
 * @param real the name of the real images
 * @param images how many
 * @param sha256 their hash
 * @param batch images per forward pass
 * @param model hash of the model's file
 * @param seconds it took
 */
public record TestNote(String real, int images, String sha256, int batch, String model, double seconds) {
  static final List<String> KEYS = List.of("real", "images", "sha256", "batch", "model", "seconds");

  /** Whether it was the same test, by whatever name and however long it took. */
  boolean isOf(TestNote other) {
    return sha256.equals(other.sha256) && batch == other.batch && model.equals(other.model);
  }

  TestNote taking(double time) {
    return new TestNote(real, images, sha256, batch, model, time);
  }

  Map<String, Object> toTree() {
    var tree = new LinkedHashMap<String, Object>();
    tree.put("real", real);
    tree.put("images", images);
    tree.put("sha256", sha256);
    tree.put("batch", batch);
    tree.put("model", model);
    tree.put("seconds", seconds);
    return tree;
  }

  static TestNote fromTree(Tree tree) {
    return new TestNote(
        TrainingData.text(tree, "real"),
        tree.count("images").orElseThrow(() -> TrainingData.missing(tree, "images")),
        TrainingData.text(tree, "sha256"),
        tree.count("batch").orElseThrow(() -> TrainingData.missing(tree, "batch")),
        TrainingData.text(tree, "model"),
        tree.number("seconds").orElseThrow(() -> TrainingData.missing(tree, "seconds")));
  }
}
