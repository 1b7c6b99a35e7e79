// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import com.fasterxml.jackson.databind.JsonNode;
import dev.motley.InvalidInputException;
import dev.motley.MotleyException;
import dev.motley.MotleyVersion;
import dev.motley.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Arrays;
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
   * Changes the number of threads of what is computed from now on; the instruction set stays.
   *
   * @param threads at least 1
   */
  public static void useThreads(int threads) {
    configure(threads, isaNamed(info().isa()).orElseThrow());
  }

  /**
   * Tells what the native core runs on.
   *
   * @return versions, CPU and devices
   */
  public static NativeInfo info() {
    require();
    JsonNode node = description();
    return new NativeInfo(
        apiText(node.path("api").asInt()),
        MotleyLibrary.file(),
        node.path("libtorch").asText(),
        Start.ONCE.libtorch.orElseThrow(),
        node.path("cpu").asText(),
        node.path("features").asText(),
        node.path("isa").asText(),
        node.path("threads").asInt(),
        node.path("architectures").valueStream().map(JsonNode::asText).toList(),
        node.path("cuda").asText());
  }

  /**
   * How many threads compute.
   *
   * @return at least 1
   */
  public static int threads() {
    require();
    return description().path("threads").asInt();
  }

  private static JsonNode description() {
    return Native.json(DESCRIPTION_BYTES, (buffer, capacity, error) -> (int) DESCRIBE.invokeExact(buffer, capacity, error));
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
    int wished = threadsProperty();
    Isa isa = isaProperty();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment params =
          Struct.allocate(arena, Header.RUNTIME_PARAMS)
              .put("libtorch_dir", arena.allocateFrom(libtorch.toString()))
              .put("threads", wished)
              .put("max_isa", isa.ordinal())
              .segment();
      Native.checkUninitialized(error -> (int) INITIALIZE.invokeExact(params, error));
    }
    int chosen = description().path("threads").asInt();
    int threads = usualThreads(wished, System.getenv().containsKey("OMP_NUM_THREADS"), chosen, Runtime.getRuntime().availableProcessors());
    if (threads != chosen) {
      Native.checkUninitialized(error -> (int) CONFIGURE.invokeExact(threads, isa.ordinal(), error));
    }
    return libtorch;
  }

  /**
   * How many threads compute. libtorch counts the CPUs that the process may run on and knows nothing of a container's quota of their
   * time, which the JVM does: two CPUs' worth on a machine of 64 would be fought over by 64 threads.
   *
   * @param wished by the user, 0 for no wish
   * @param environment whether OMP_NUM_THREADS is set, which libtorch has followed
   * @param chosen by libtorch
   * @param available as the JVM counts processors
   */
  static int usualThreads(int wished, boolean environment, int chosen, int available) {
    return wished > 0 || environment ? chosen : Math.min(chosen, available);
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
    return isaNamed(set)
        .orElseThrow(
            () ->
                new InvalidInputException(
                    "-Dmotley.isa=" + set + " is no instruction set: expected auto, scalar, avx2, avx512, avx512_bf16 or amx"));
  }

  private static Optional<Isa> isaNamed(String name) {
    return Arrays.stream(Isa.values()).filter(isa -> isa.name().equalsIgnoreCase(name)).findFirst();
  }
}
