// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.MotleyException;
import dev.motley.NativeException;
import dev.motley.ResourceException;
import dev.motley.files.FileFailure;
import dev.motley.files.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Loads {@code libmotley.so} once for the process: from {@code -Dmotley.library.path} where that is
 * set, else from the copy inside the library's jar, unpacked into a cache whose folder is named by
 * the copy's SHA-256. A failure is kept and thrown again at each use, naming every attempt.
 */
final class MotleyLibrary {

  static final String PATH_PROPERTY = "motley.library.path";

  private static final MotleyLibrary INSTANCE = load();

  private final Optional<Path> file;
  private final List<String> attempts;

  private MotleyLibrary(Optional<Path> file, List<String> attempts) {
    this.file = file;
    this.attempts = List.copyOf(attempts);
  }

  /** The file that was loaded. */
  static Path file() {
    return INSTANCE.file.orElseThrow(INSTANCE::failure);
  }

  /** The address of a function of motley.h. */
  static MemorySegment address(String function) {
    Path loaded = file();
    return SymbolLookup.loaderLookup()
        .find(function)
        .orElseThrow(
            () ->
                new NativeException(
                    loaded + " has no function " + function + ": build it anew with ./motley"));
  }

  private MotleyException failure() {
    return new ResourceException(
        "cannot load "
            + fileName()
            + ": "
            + String.join("; ", attempts)
            + "; set -D"
            + PATH_PROPERTY
            + "=DIR to the folder that holds it");
  }

  private static MotleyLibrary load() {
    var attempts = new ArrayList<String>();
    String set = System.getProperty(PATH_PROPERTY, "");
    Optional<Path> file =
        set.isBlank() ? loadUnpacked(attempts) : tryLoad(fileAt(Path.of(set)), attempts);
    return new MotleyLibrary(file, attempts);
  }

  private static Path fileAt(Path set) {
    return Files.isDirectory(set) ? set.resolve(fileName()) : set;
  }

  private static Optional<Path> loadUnpacked(List<String> attempts) {
    String resource = "/META-INF/native/" + Platform.name() + "/" + fileName();
    byte[] content;
    try (InputStream in = MotleyLibrary.class.getResourceAsStream(resource)) {
      if (in == null) {
        attempts.add("this build of Motley has no " + resource);
        return Optional.empty();
      }
      content = in.readAllBytes();
    } catch (IOException e) {
      attempts.add("cannot read " + resource + " (" + FileFailure.reason(e) + ")");
      return Optional.empty();
    }
    for (Path root : Platform.cacheFolders()) {
      Optional<Path> loaded =
          unpack(content, root, attempts).flatMap(file -> tryLoad(file, attempts));
      if (loaded.isPresent()) {
        return loaded;
      }
    }
    return Optional.empty();
  }

  /** Writes the content under a name made of its hash, so that versions never overwrite another. */
  static Optional<Path> unpack(byte[] content, Path cache, List<String> attempts) {
    String hash = Sha256.of(content);
    Path file = cache.resolve("native").resolve(hash).resolve(fileName());
    try {
      if (Files.isRegularFile(file) && Sha256.of(file).equals(hash)) {
        return Optional.of(file);
      }
      Files.createDirectories(file.getParent());
      Path temporary = Files.createTempFile(file.getParent(), fileName(), ".part");
      try {
        Files.write(temporary, content);
        moveInto(temporary, file);
      } finally {
        Files.deleteIfExists(temporary);
      }
      return Optional.of(file);
    } catch (IOException e) {
      attempts.add("cannot unpack to " + file + " (" + FileFailure.reason(e) + ")");
      return Optional.empty();
    }
  }

  private static void moveInto(Path temporary, Path file) throws IOException {
    try {
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  @SuppressWarnings("restricted") // the purpose of this class
  private static Optional<Path> tryLoad(Path file, List<String> attempts) {
    Path absolute = file.toAbsolutePath();
    if (!Files.isRegularFile(absolute)) {
      attempts.add("there is no file " + absolute);
      return Optional.empty();
    }
    try {
      System.load(absolute.toString());
      return Optional.of(absolute);
    } catch (UnsatisfiedLinkError e) {
      attempts.add(e.getMessage());
      return Optional.empty();
    }
  }

  private static String fileName() {
    return System.mapLibraryName("motley");
  }
}
