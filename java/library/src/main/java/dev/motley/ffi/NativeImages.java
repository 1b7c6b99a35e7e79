// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Packed images with labels that stay in native memory, to train on and to be classified. */
public final class NativeImages extends NativeHandle {

  private static final MethodHandle CREATE = Native.bind("motley_images_create");
  private static final MethodHandle DESTROY = Native.bind("motley_images_destroy");

  private final int count;
  private final int height;
  private final int width;

  private NativeImages(MemorySegment pointer, int count, int height, int width) {
    super(pointer, DESTROY);
    this.count = count;
    this.height = height;
    this.width = width;
  }

  /**
   * Copies images into native memory.
   *
   * @param height rows of each image
   * @param width columns of each image
   * @param pixels (n, height, width, 3), unsigned RGB
   * @param labels (n), class indices
   * @return the images
   */
  public static NativeImages create(int height, int width, byte[] pixels, int[] labels) {
    Sizes.check("pixels", pixels.length, labels.length, height, width, 3);
    int n = labels.length;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment cPixels = arena.allocateFrom(ValueLayout.JAVA_BYTE, pixels);
      MemorySegment cLabels = arena.allocateFrom(ValueLayout.JAVA_INT, labels);
      MemorySegment pointer =
          create(
              (out, error) ->
                  (int)
                      CREATE.invokeExact(
                          (long) n, (long) height, (long) width, cPixels, cLabels, out, error));
      return new NativeImages(pointer, n, height, width);
    }
  }

  /**
   * Returns how many images there are.
   *
   * @return the number of images
   */
  public int count() {
    return count;
  }

  /**
   * Returns the rows of each image.
   *
   * @return pixels
   */
  public int height() {
    return height;
  }

  /**
   * Returns the columns of each image.
   *
   * @return pixels
   */
  public int width() {
    return width;
  }
}
