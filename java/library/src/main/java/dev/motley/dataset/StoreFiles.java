// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Every change a store makes to the file system, so that tests can break any one of them. */
interface StoreFiles {

  /** The file system itself. */
  StoreFiles REAL = new Real();

  /** Opens a file for writing; makes it if absent. */
  StoreFile open(Path path) throws IOException;

  /** Renames within one folder, replacing what is there, at once. */
  void rename(Path from, Path to) throws IOException;

  void delete(Path path) throws IOException;

  /** Makes files made, renamed and deleted in a folder survive a crash of the machine. */
  void syncFolder(Path folder) throws IOException;

  /** See {@link #REAL}. */
  final class Real implements StoreFiles {

    @Override
    public StoreFile open(Path path) throws IOException {
      return of(FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE));
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    @Override
    public void delete(Path path) throws IOException {
      Files.delete(path);
    }

    @Override
    public void syncFolder(Path folder) throws IOException {
      try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }

    private static StoreFile of(FileChannel channel) {
      return new StoreFile() {
        @Override
        public void write(ByteBuffer bytes, long position) throws IOException {
          long at = position;
          while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
          }
        }

        @Override
        public void force() throws IOException {
          channel.force(true);
        }

        @Override
        public void truncate(long length) throws IOException {
          channel.truncate(length);
        }

        @Override
        public long size() throws IOException {
          return channel.size();
        }

        @Override
        public void close() throws IOException {
          channel.close();
        }
      };
    }
  }
}
