// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.dataset.PicturePacker.Encoded;
import dev.motley.ffi.PixelStorage;
import dev.motley.image.Png;
import dev.motley.image.Resize;
import dev.motley.testing.RandomPicture;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PicturePackerTest {
  /** Of 40x30 pixels, these take 7 TB. */
  private static final int MANY = Integer.MAX_VALUE;

  @TempDir Path folder;

  private PicturePacker packer(long memory) {
    var storage = new PixelStorage(folder, OptionalLong.of(memory));
    return new PicturePacker("photos", new RealData.Options(RealData.Split.TRAIN, 0, Resize.Filter.BILINEAR_AA, storage), MANY);
  }

  private static Encoded picture(String name, int height, int width) {
    return new Encoded(name, "a", () -> Png.encode(RandomPicture.of(height, width), Map.of()));
  }

  /** In a file and in memory. */
  @ParameterizedTest
  @ValueSource(longs = {0, Long.MAX_VALUE})
  void picturesOfMixedSizesAreRefusedBeforeSpaceIsTaken(long memory) throws IOException {
    try (PicturePacker packer = packer(memory)) {
      packer.add(new Encoded("damaged", "a", () -> new byte[0]));
      packer.add(picture("large", 30, 40));
      packer.add(picture("small", 4, 5));
      assertThatThrownBy(packer::labels)
          .isInstanceOf(InvalidInputException.class)
          .hasMessage("small: 5x4 pixels, but the pictures before have 40x30; give a size to resize all to");
    }
    assertThat(folder).isEmptyDirectory();
  }

  @ParameterizedTest
  @ValueSource(longs = {0, Long.MAX_VALUE})
  void spaceForAllIsTakenAtOnceWhereTheyAgree(long memory) throws IOException {
    try (PicturePacker packer = packer(memory)) {
      packer.add(picture("one", 30, 40));
      packer.add(picture("two", 30, 40));
      assertThatThrownBy(packer::labels).isInstanceOf(ResourceException.class).hasMessageContaining("the pixels of photos");
    }
    assertThat(folder).isEmptyDirectory();
  }
}
