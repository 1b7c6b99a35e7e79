// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Named tensors in a file, whatever its format. Opening reads and checks the file's table of contents; the elements stay in the file,
 * which is memory-mapped.
 *
 * <p>Thread-safe. Views stay readable after {@link #close()}; the file must not be truncated while views are in use, or the JVM may
 * crash.
 */
public interface TensorFile extends AutoCloseable {

  /**
   * Opens a file of weights by what it holds, not by its name: safetensors ({@link SafeTensors}), a PyTorch checkpoint ({@link
   * TorchFile}), or the index of several such files ({@link ShardedTensors}, {@code *.index.json}).
   *
   * @throws InvalidInputException if it is missing, none of these, or breaks a rule of its format
   * @throws ResourceException if it cannot be read or mapped
   */
  static TensorFile open(Path file) {
    return TensorFiles.open(file);
  }

  /** The file; of several that belong together, the one that names the others. */
  Path file();

  /** Names, in the order of the file. */
  Set<String> names();

  /**
   * A tensor by name.
   *
   * @throws InvalidInputException if there is none, or if it cannot be had; names file and tensor
   */
  TensorView tensor(String name);

  /** All tensors by name, in the order of {@link #names}. */
  default Map<String, TensorView> tensors() {
    Map<String, TensorView> all = new LinkedHashMap<>();
    names().forEach(name -> all.put(name, tensor(name)));
    return all;
  }

  /** No further tensors are given out. Idempotent. */
  @Override
  void close();
}
