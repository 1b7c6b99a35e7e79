// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.ResourceException;
import dev.motley.files.FileFailure;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.Loader;

/**
 * Finds the folder of {@code libtorch_cpu.so}: {@code -Dmotley.libtorch=DIR} where set, else
 * JavaCPP's presets, unpacked into JavaCPP's own cache. The same files are then used by this
 * library and by any use of the presets in one process: two copies of libtorch could not share one.
 */
final class Libtorch {

  static final String PROPERTY = "motley.libtorch";

  private static final String LIBRARY = System.mapLibraryName("torch_cpu");
  private static final String PRESET = "/org/bytedeco/pytorch/";
  private static final String BLAS = "/org/bytedeco/openblas/";

  private Libtorch() {}

  /** The folder, with the libraries that libtorch needs beside it or already loaded. */
  static Path locate() {
    String set = System.getProperty(PROPERTY, "");
    if (set.isBlank()) {
      return unpackPreset();
    }
    Path folder = Path.of(set).toAbsolutePath().normalize();
    if (!Files.isRegularFile(folder.resolve(LIBRARY))) {
      throw new ResourceException(
          "-D"
              + PROPERTY
              + "="
              + set
              + " has no "
              + LIBRARY
              + ": name the lib folder of an unzipped libtorch >= 2.10, or torch/lib of a pip install");
    }
    return folder;
  }

  private static Path unpackPreset() {
    String platform = Platform.name() + "/";
    // The BLAS first: libtorch's run path names the folder of the machine that built it, so its
    // OpenBLAS must be in the process before libtorch is.
    for (String name : new String[] {"libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0"}) {
      load(unpack(BLAS + platform + name, "openblas"));
    }
    for (String name : new String[] {"libgomp.so.1", "libc10.so"}) {
      unpack(PRESET + platform + name, "pytorch");
    }
    return unpack(PRESET + platform + LIBRARY, "pytorch").getParent();
  }

  private static Path unpack(String resource, String artifact) {
    try {
      File file = Loader.cacheResource(Loader.class, resource);
      if (file == null) {
        throw new ResourceException(
            "libtorch is not on the class path: add org.bytedeco:"
                + artifact
                + ":"
                + Platform.name()
                + ", or set -D"
                + PROPERTY
                + "=DIR");
      }
      return file.toPath();
    } catch (IOException e) {
      throw new ResourceException(
          "cannot unpack "
              + resource
              + " into JavaCPP's cache (org.bytedeco.javacpp.cachedir): "
              + FileFailure.reason(e),
          e);
    }
  }

  @SuppressWarnings("restricted") // the purpose of this class
  private static void load(Path file) {
    try {
      System.load(file.toString());
    } catch (UnsatisfiedLinkError e) {
      throw new ResourceException("cannot load " + file + ": " + e.getMessage(), e);
    }
  }
}
