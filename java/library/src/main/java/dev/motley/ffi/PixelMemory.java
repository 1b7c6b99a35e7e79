// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import dev.motley.ResourceException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Pixels in memory of the C library, which grows a large block by moving its pages and not what is in them. Java's own off-heap memory is
 * limited to the size of the heap, and filled with zeros first.
 */
final class PixelMemory implements PixelWriter.Place {
  private static final MethodHandle REALLOC =
      bind("realloc", FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
  private static final MethodHandle FREE = bind("free", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));

  /** Bytes that are copied at a time. */
  private static final int PIECE = 1 << 24;

  private static final double MIB = 1 << 20;

  private final String what;
  private MemorySegment block = MemorySegment.NULL;

  private PixelMemory(String what) {
    this.what = what;
  }

  static PixelMemory of(String what, long capacity) {
    var memory = new PixelMemory(what);
    memory.grow(capacity);
    return memory;
  }

  @SuppressWarnings("restricted") // the C library's own functions, by their C prototypes
  private static MethodHandle bind(String function, FunctionDescriptor descriptor) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(function), descriptor);
  }

  @Override
  public long capacity() {
    return block.byteSize();
  }

  /** Makes it larger, or smaller. */
  @SuppressWarnings("restricted") // the size that was asked for
  void grow(long capacity) {
    MemorySegment old = block;
    long asked = Math.max(1, capacity); // of 0, realloc frees
    MemorySegment grown = Native.plain(() -> (MemorySegment) REALLOC.invokeExact(old, asked));
    if (grown.address() == 0) {
      throw new ResourceException("no memory for the pixels of %s: they need %,.0f MiB".formatted(what, Math.ceil(capacity / MIB)));
    }
    block = grown.reinterpret(capacity);
  }

  @Override
  public void put(long at, byte[] bytes) {
    MemorySegment.copy(bytes, 0, block, ValueLayout.JAVA_BYTE, at, bytes.length);
  }

  /** Copies all to a file, and gives the memory back. */
  PixelFile moveTo(PixelFile file) {
    try {
      for (long at = 0; at < capacity(); at += PIECE) {
        file.put(at, block.asSlice(at, Math.min(PIECE, capacity() - at)).asByteBuffer());
      }
    } catch (RuntimeException | Error e) {
      file.close();
      throw e;
    }
    close();
    return file;
  }

  @Override
  @SuppressWarnings("restricted") // this block's own size, and its end with the arena
  public PackedPixels finish(long size, PixelStorage storage) {
    if (size < capacity()) {
      grow(size);
    }
    Arena arena = Arena.ofShared();
    return new PackedPixels(arena, block.reinterpret(arena, PixelMemory::free), storage, false);
  }

  @Override
  public void close() {
    free(block);
  }

  private static void free(MemorySegment block) {
    Native.plain(
        () -> {
          FREE.invokeExact(block);
          return true;
        });
  }
}
