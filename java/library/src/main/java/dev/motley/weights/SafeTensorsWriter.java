// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.motley.InvalidInputException;
import dev.motley.ResourceException;
import dev.motley.files.AtomicFile;
import dev.motley.files.FileFailure;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Writes safetensors files as the reference library does: tensors sorted by falling alignment, then
 * by name, and the header padded with spaces so that the data begins on a multiple of 8 bytes. The
 * same tensors give the same bytes.
 */
public final class SafeTensorsWriter {
  private SafeTensorsWriter() {}

  /**
   * A tensor whose bytes are made when they are written, so that memory holds one tensor at a time.
   *
   * @param name the tensor's name in the file
   * @param dtype element type
   * @param shape sizes, slowest first; empty for a scalar
   * @param values gives a tensor of that type and shape; asked once
   */
  public record Source(String name, DType dtype, long[] shape, Supplier<TensorView> values) {
    /** A tensor that is there. */
    public static Source of(TensorView tensor) {
      return new Source(tensor.name(), tensor.dtype(), tensor.shape(), () -> tensor);
    }

    /** A float32 tensor. */
    public static Source ofFloats(String name, long[] shape, Supplier<float[]> values) {
      return new Source(name, DType.F32, shape, () -> TensorView.ofFloats(name, shape, values.get()));
    }

    /** An int64 tensor. */
    public static Source ofLongs(String name, long[] shape, Supplier<long[]> values) {
      return new Source(name, DType.I64, shape, () -> TensorView.ofLongs(name, shape, values.get()));
    }
  }

  /**
   * Writes a file under a temporary name, syncs it and renames it, so that a reader sees the old
   * file or the whole new one.
   *
   * @param metadata the header's {@code __metadata__}; left out when empty
   * @throws InvalidInputException if two tensors share a name
   * @throws ResourceException if the file cannot be written; nothing is left behind
   */
  public static void write(
      Path file, Collection<TensorView> tensors, Map<String, String> metadata) {
    write(file, tensors.stream().map(Source::of), metadata);
  }

  /** The same, tensor by tensor. */
  public static void write(Path file, Stream<Source> tensors, Map<String, String> metadata) {
    List<Source> sorted =
        tensors
            .sorted(Comparator.comparingInt((Source t) -> -t.dtype().bits()).thenComparing(Source::name))
            .toList();
    byte[] header = header(file, sorted, metadata);
    AtomicFile.write(
        file,
        channel -> {
          ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
          writeFully(channel, length.putLong(header.length).flip());
          writeFully(channel, ByteBuffer.wrap(header));
          for (Source tensor : sorted) {
            writeFully(channel, bytes(tensor));
          }
        });
  }

  private static ByteBuffer bytes(Source tensor) {
    ByteBuffer bytes = tensor.values().get().data();
    if (bytes.remaining() != tensor.dtype().bytes(tensor.shape())) {
      throw new IllegalStateException(
          "tensor " + Quote.of(tensor.name()) + " has " + bytes.remaining() + " bytes, not those of its shape");
    }
    return bytes;
  }

  private static byte[] header(Path file, List<Source> sorted, Map<String, String> metadata) {
    Set<String> names = new HashSet<>();
    var bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart("__metadata__");
        for (var entry : new TreeMap<>(metadata).entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      long offset = 0;
      for (Source tensor : sorted) {
        if (!names.add(tensor.name()) || tensor.name().equals("__metadata__")) {
          throw new InvalidInputException(
              file + ": two tensors are named " + Quote.of(tensor.name()));
        }
        long end = offset + tensor.dtype().bytes(tensor.shape());
        json.writeObjectFieldStart(tensor.name());
        json.writeStringField("dtype", tensor.dtype().name());
        writeLongs(json, "shape", tensor.shape());
        writeLongs(json, "data_offsets", offset, end);
        json.writeEndObject();
        offset = end;
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new ResourceException(file + ": header cannot be written: " + FileFailure.reason(e), e);
    }
    while (bytes.size() % Long.BYTES != 0) {
      bytes.write(' ');
    }
    if (bytes.size() > SafeTensors.MAX_HEADER_BYTES) {
      throw new InvalidInputException(
          file + ": the header would have " + bytes.size() + " bytes, too many to be read");
    }
    return bytes.toByteArray();
  }

  private static void writeLongs(JsonGenerator json, String name, long... values)
      throws IOException {
    json.writeFieldName(name);
    json.writeArray(values, 0, values.length);
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
