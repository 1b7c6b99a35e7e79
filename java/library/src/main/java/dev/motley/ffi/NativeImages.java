// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** Packed images with labels, to train on and to be classified. */
public final class NativeImages extends NativeHandle {

  private static final MethodHandle CREATE = Native.bind("motley_images_create");
  private static final MethodHandle DESTROY = Native.bind("motley_images_destroy");

  private final int count;
  private final int height;
  private final int width;

  private NativeImages(MemorySegment pointer, PackedPixels pixels, int count, int height, int width) {
    super(pointer, DESTROY, Optional.of(pixels));
    this.count = count;
    this.height = height;
    this.width = width;
  }

  /**
   * Lends pixels to native code. Closing them closes these images first.
   *
   * @param height rows of each image
   * @param width columns of each image
   * @param pixels (n, height, width, 3), unsigned RGB; not copied
   * @param labels (n), class indices; copied
   * @return the images
   */
  public static NativeImages create(int height, int width, PackedPixels pixels, int[] labels) {
    Sizes.check("pixels", pixels.size(), labels.length, height, width, 3);
    return pixels.lend(segment -> create(height, width, pixels, segment, labels));
  }

  private static NativeImages create(
      int height, int width, PackedPixels pixels, MemorySegment segment, int[] labels) {
    int n = labels.length;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment cLabels = arena.allocateFrom(ValueLayout.JAVA_INT, labels);
      MemorySegment pointer =
          create(
              (out, error) ->
                  (int)
                      CREATE.invokeExact(
                          (long) n, (long) height, (long) width, segment, cLabels, out, error));
      return new NativeImages(pointer, pixels, n, height, width);
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
