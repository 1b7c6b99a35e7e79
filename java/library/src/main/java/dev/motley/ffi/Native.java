// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.motley.CancelledException;
import dev.motley.InvalidInputException;
import dev.motley.MotleyException;
import dev.motley.NativeException;
import dev.motley.NotFiniteException;
import dev.motley.ResourceException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/** Binds functions of {@code motley.h} and calls them, turning a status into an exception. */
final class Native {

  private static final long MESSAGE = Header.ERROR.byteOffset(PathElement.groupElement("message"));

  private Native() {}

  /** A call that returns a motley_status, given where the error may be written. */
  @FunctionalInterface
  interface Call {
    int run(MemorySegment error) throws Throwable;
  }

  /** A call that cannot fail. */
  @FunctionalInterface
  interface Plain<T> {
    T run() throws Throwable;
  }

  /**
   * The function as a method handle. Where the library or the function is missing, the handle
   * throws that when called, so that binding never fails in a class initialiser.
   */
  @SuppressWarnings("restricted") // the purpose of this package
  static MethodHandle bind(String function) {
    FunctionDescriptor descriptor = Header.function(function);
    try {
      return Linker.nativeLinker().downcallHandle(MotleyLibrary.address(function), descriptor);
    } catch (MotleyException e) {
      return failing(descriptor.toMethodType(), e);
    }
  }

  private static MethodHandle failing(MethodType type, MotleyException failure) {
    MethodHandle thrower =
        MethodHandles.throwException(type.returnType(), MotleyException.class).bindTo(failure);
    return MethodHandles.dropArguments(thrower, 0, type.parameterList());
  }

  /** Makes a call once libtorch is ready. */
  static void check(Call call) {
    NativeRuntime.require();
    checkUninitialized(call);
  }

  /** Makes a call that needs no libtorch, or that brings it. */
  static void checkUninitialized(Call call) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment error = arena.allocate(Header.ERROR);
      var event = new NativeCallEvent();
      event.begin();
      int status = plain(() -> call.run(error));
      event.commit();
      if (status != Header.OK) {
        throw exception(status, error.getString(MESSAGE));
      }
    }
  }

  /** A call that writes text into a buffer of so many bytes. */
  @FunctionalInterface
  interface TextCall {
    int run(MemorySegment buffer, long capacity, MemorySegment error) throws Throwable;
  }

  /** What such a call writes, as JSON; libtorch need not be ready. */
  static JsonNode json(long capacity, TextCall call) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(capacity);
      checkUninitialized(error -> call.run(buffer, capacity, error));
      String text = buffer.getString(0);
      try {
        return new ObjectMapper().readTree(text);
      } catch (JsonProcessingException e) {
        throw new NativeException("the native core speaks of itself in broken JSON: " + text, e);
      }
    }
  }

  /** Makes a call that cannot fail. */
  static <T> T plain(Plain<T> call) {
    try {
      return call.run();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws nothing checked", e);
    }
  }

  /** The exception for a status of motley.h. */
  static MotleyException exception(int status, String message) {
    return switch (status) {
      case Header.INVALID_ARGUMENT -> new InvalidInputException(message);
      case Header.OUT_OF_MEMORY, Header.UNAVAILABLE -> new ResourceException(message);
      case Header.CANCELLED -> new CancelledException(message);
      case Header.NOT_FINITE -> new NotFiniteException(message);
      default -> new NativeException(message);
    };
  }
}
