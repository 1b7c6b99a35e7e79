// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** An open file of a store. */
interface StoreFile extends Closeable {

  /** Writes all of the bytes at a position. */
  void write(ByteBuffer bytes, long position) throws IOException;

  /** Makes everything written so far survive a crash of the machine. */
  void force() throws IOException;

  void truncate(long length) throws IOException;

  long size() throws IOException;
}
