// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;
import dev.motley.image.Resize;
import dev.motley.image.RgbImage;

/** How a picture becomes the input of a CLIP vision encoder: a square, normalised by CLIP's mean and deviation. */
public enum ClipPreprocessing {
  /**
   * As transformers' CLIPImageProcessor does it, for CLIP and for the safety checker: Pillow's bicubic resize of the shorter side, then
   * the square in the centre.
   */
  CENTRE_CROP,
  /**
   * As sd-image-variations was trained and is published: the whole picture squeezed into the square, torch's bicubic without
   * anti-aliasing, not clamped.
   */
  SQUEEZE;

  /** OPENAI_CLIP_MEAN and OPENAI_CLIP_STD of transformers. */
  private static final float[] MEAN = {0.48145466f, 0.4578275f, 0.40821073f};

  private static final float[] STD = {0.26862954f, 0.26130258f, 0.27577711f};

  private static final int CHANNELS = 3;

  /** Of a resized picture, before it is cropped: no data set has narrower ones. */
  private static final long MAX_PIXELS = 1L << 26;

  /**
   * Writes one picture's input.
   *
   * @param picture of any size
   * @param size height and width of the input
   * @param to gets (3, size, size)
   * @param at where in {@code to} it begins
   * @throws InvalidInputException if the picture is too long for its width
   */
  void write(RgbImage picture, int size, float[] to, int at) {
    switch (this) {
      case CENTRE_CROP -> centreCrop(picture, size, to, at);
      case SQUEEZE -> squeeze(picture, size, to, at);
    }
  }

  private static void centreCrop(RgbImage picture, int size, float[] to, int at) {
    int shorter = Math.min(picture.height(), picture.width());
    int height = scaled(picture.height(), shorter, size);
    int width = scaled(picture.width(), shorter, size);
    requireResizable(picture, height, width, height);
    byte[] pixels = picture.resized(height, width, Resize.Filter.PIL_BICUBIC).pixels();
    int top = (height - size) / 2;
    int left = (width - size) / 2;
    for (int y = 0; y < size; y++) {
      for (int x = 0; x < size; x++) {
        int from = CHANNELS * ((top + y) * width + left + x);
        for (int c = 0; c < CHANNELS; c++) {
          float value = (float) ((pixels[from + c] & 0xff) * (1 / 255.0));
          to[at + (c * size + y) * size + x] = normalised(value, c);
        }
      }
    }
  }

  private static void requireResizable(RgbImage picture, int height, int width, long rows) {
    if (rows * width > MAX_PIXELS) {
      throw new InvalidInputException(
          "a picture of %dx%d pixels is too long and narrow to be resized to %dx%d"
              .formatted(picture.width(), picture.height(), width, height));
    }
  }

  /** A side after the shorter one became {@code size}; cut to whole pixels as transformers does. */
  private static int scaled(int side, int shorter, int size) {
    return (int) ((double) size * side / shorter);
  }

  private static void squeeze(RgbImage picture, int size, float[] to, int at) {
    requireResizable(picture, size, size, picture.height()); // it becomes narrower first
    byte[] bytes = picture.pixels();
    float[] values = new float[bytes.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (bytes[i] & 0xff) / 255f;
    }
    float[] square = new Resize(picture.height(), picture.width(), size, size, Resize.Filter.BICUBIC).apply(values);
    for (int i = 0; i < size * size; i++) {
      for (int c = 0; c < CHANNELS; c++) {
        to[at + c * size * size + i] = normalised(square[CHANNELS * i + c], c);
      }
    }
  }

  private static float normalised(float value, int channel) {
    return (value - MEAN[channel]) / STD[channel];
  }
}
