// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.regex.Pattern;

/** Tells the formats of weights apart by how their files begin, and what people often have instead of them. */
final class TensorFiles {
  private static final int HEAD_BYTES = 64;
  private static final String SAFETENSORS = ".safetensors";

  /** Also {@code x.safetensors.index.fp16.json}. */
  private static final Pattern INDEX = Pattern.compile(".*\\.index(\\.\\w+)?\\.json");

  private TensorFiles() {}

  static TensorFile open(Path file) {
    if (Files.isDirectory(file)) {
      throw bad(file, "is a folder, expected a file of weights");
    }
    ByteBuffer head = head(file);
    if (!head.hasRemaining()) {
      throw bad(file, "is empty, expected a file of weights");
    }
    if (isSafeTensors(head)) {
      return SafeTensors.open(file);
    }
    if (TorchStorages.isZip(head) || TorchStorages.isLegacy(head)) {
      return TorchFile.open(file);
    }
    String text = StandardCharsets.ISO_8859_1.decode(head.duplicate()).toString().strip().toLowerCase(Locale.ROOT);
    if (isIndex(file) && text.startsWith("{")) {
      return ShardedTensors.open(file);
    }
    if (text.startsWith("version https://git-lfs")) {
      throw bad(file, "is a Git LFS pointer, not the weights themselves; fetch them with git lfs pull");
    }
    if (text.startsWith("<!doctype") || text.startsWith("<html") || text.startsWith("<?xml")) {
      throw bad(file, "is a web page, not weights; the download was answered with a message, which the file holds");
    }
    if (name(file).endsWith(SAFETENSORS)) {
      // Its own reader says what is wrong with it.
      return SafeTensors.open(file);
    }
    throw bad(
        file,
        "is none of the known formats of weights: safetensors, PyTorch checkpoint (.ckpt, .pt, .pth, .bin), *.index.json");
  }

  /** Whether a file is named as the index of several. */
  static boolean isIndex(Path file) {
    return INDEX.matcher(name(file)).matches();
  }

  private static String name(Path file) {
    return file.getFileName().toString().toLowerCase(Locale.ROOT);
  }

  /** A header's length of at most 10^8, so with four zero bytes, then the header's brace. */
  private static boolean isSafeTensors(ByteBuffer head) {
    return head.remaining() > Long.BYTES && head.getInt(Integer.BYTES) == 0 && head.get(Long.BYTES) == '{';
  }

  private static ByteBuffer head(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return FileBytes.read(file, channel, 0, (int) Math.min(channel.size(), HEAD_BYTES));
    } catch (IOException e) {
      throw FileFailure.reading(file, e);
    }
  }

  private static InvalidInputException bad(Path file, String what) {
    return new InvalidInputException(file + ": " + what);
  }
}
