// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.motley.InvalidInputException;
import dev.motley.MotleyException;
import dev.motley.MotleyVersion;
import dev.motley.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The native core of this process: its start, its threads, its memory and what it runs on. It
 * starts by itself at the first native call.
 */
public final class NativeRuntime {

  private static final MethodHandle API_VERSION = Native.bind("motley_api_version");
  private static final MethodHandle INITIALIZE = Native.bind("motley_runtime_initialize");
  private static final MethodHandle CONFIGURE = Native.bind("motley_runtime_configure");
  private static final MethodHandle DESCRIBE = Native.bind("motley_runtime_describe");
  private static final MethodHandle LIVE_BYTES = Native.bind("motley_live_bytes");
  private static final MethodHandle POOLED_BYTES = Native.bind("motley_pooled_bytes");
  private static final MethodHandle TRIM = Native.bind("motley_trim");

  private static final int DESCRIPTION_BYTES = 1 << 16;

  private NativeRuntime() {}

  /** The highest instruction set that kernels may use. */
  public enum Isa {
    /** The best one this CPU has. */
    AUTO,
    /** Plain C++, the reference of the others. */
    SCALAR,
    /** AVX2 with FMA. */
    AVX2,
    /** AVX-512 F, BW, DQ and VL. */
    AVX512,
    /** The same with AVX512-BF16. */
    AVX512_BF16,
    /** The same with AMX-BF16. */
    AMX
  }

  /** Holds the one start of the process: its libtorch, or why there is none. */
  private static final class Start {

    private static final Start ONCE = new Start();

    private Optional<Path> libtorch = Optional.empty();
    private Optional<MotleyException> failure = Optional.empty();

    private Start() {
      try {
        libtorch = Optional.of(initialize());
      } catch (MotleyException e) {
        failure = Optional.of(e);
      }
    }
  }

  /**
   * Loads the native core and libtorch, if that has not been done.
   *
   * @throws dev.motley.ResourceException if a library cannot be found or loaded
   * @throws NativeException if the two libraries' versions do not fit
   */
  public static void require() {
    Start.ONCE.failure.ifPresent(
        failure -> {
          throw failure;
        });
  }

  /**
   * Changes the number of threads and the instruction set of what is computed from now on.
   *
   * @param threads at least 1
   * @param isa the highest set to use; one that the CPU lacks means the best one it has
   */
  public static void configure(int threads, Isa isa) {
    Sizes.range("threads", threads, 1, Integer.MAX_VALUE);
    Native.check(error -> (int) CONFIGURE.invokeExact(threads, isa.ordinal(), error));
  }

  /**
   * Tells what the native core runs on.
   *
   * @return versions, CPU and devices
   */
  public static NativeInfo info() {
    String json;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(DESCRIPTION_BYTES);
      Native.check(error -> (int) DESCRIBE.invokeExact(buffer, (long) DESCRIPTION_BYTES, error));
      json = buffer.getString(0);
    }
    try {
      JsonNode node = new ObjectMapper().readTree(json);
      return new NativeInfo(
          apiText(node.path("api").asInt()),
          MotleyLibrary.file(),
          node.path("libtorch").asText(),
          Start.ONCE.libtorch.orElseThrow(),
          node.path("cpu").asText(),
          node.path("features").asText(),
          node.path("isa").asText(),
          node.path("threads").asInt(),
          node.path("cuda").asText());
    } catch (JsonProcessingException e) {
      throw new NativeException("the native core describes itself in broken JSON: " + json, e);
    }
  }

  /**
   * Counts the bytes held by tensors of open handles.
   *
   * @return 0 once every handle is closed
   */
  public static long liveBytes() {
    require();
    return Native.plain(() -> (long) LIVE_BYTES.invokeExact());
  }

  /**
   * Counts the bytes the native core keeps for reuse.
   *
   * @return the size of its pool
   */
  public static long pooledBytes() {
    require();
    return Native.plain(() -> (long) POOLED_BYTES.invokeExact());
  }

  /** Returns the pool's idle memory to the system. */
  public static void trim() {
    require();
    Native.plain(
        () -> {
          TRIM.invokeExact();
          return true;
        });
  }

  private static Path initialize() {
    int api = Native.plain(() -> (int) API_VERSION.invokeExact());
    checkVersion(api, MotleyLibrary.file());
    Path libtorch = Libtorch.locate();
    int threads = threadsProperty();
    Isa isa = isaProperty();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment params =
          Struct.allocate(arena, Header.RUNTIME_PARAMS)
              .put("libtorch_dir", arena.allocateFrom(libtorch.toString()))
              .put("threads", threads)
              .put("max_isa", isa.ordinal())
              .segment();
      Native.checkUninitialized(error -> (int) INITIALIZE.invokeExact(params, error));
    }
    return libtorch;
  }

  /** Majors must be equal; the library may offer more than this table knows, not less. */
  static void checkVersion(int api, Path library) {
    boolean fits = api / 1000 == Header.API_VERSION / 1000 && api >= Header.API_VERSION;
    if (!fits) {
      throw new NativeException(
          library
              + " speaks version "
              + apiText(api)
              + " of motley.h, Motley "
              + MotleyVersion.current()
              + " needs "
              + apiText(Header.API_VERSION)
              + ": build both from one checkout with ./motley, or unset -D"
              + MotleyLibrary.PATH_PROPERTY);
    }
  }

  private static String apiText(int api) {
    return api / 1000 + "." + api % 1000;
  }

  private static int threadsProperty() {
    String set = System.getProperty("motley.threads", "0");
    try {
      int threads = Integer.parseInt(set);
      Sizes.range("-Dmotley.threads", threads, 0, Integer.MAX_VALUE);
      return threads;
    } catch (NumberFormatException e) {
      throw new InvalidInputException(
          "-Dmotley.threads=" + set + " is no number of threads: expected 0 (automatic) or more",
          e);
    }
  }

  private static Isa isaProperty() {
    String set = System.getProperty("motley.isa", "auto");
    for (Isa isa : Isa.values()) {
      if (isa.name().equalsIgnoreCase(set)) {
        return isa;
      }
    }
    throw new InvalidInputException(
        "-Dmotley.isa=" + set + " is no instruction set: expected auto, scalar, avx2, avx512, avx512_bf16 or amx");
  }
}
