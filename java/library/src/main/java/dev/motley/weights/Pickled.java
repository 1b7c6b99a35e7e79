// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/**
 * A value of a pickle, as inert data. Lists and dictionaries may hold themselves, so nothing walks, prints, hashes or compares
 * values to any depth.
 */
sealed interface Pickled {

  /** Python's None. */
  enum Nothing implements Pickled {
    NONE
  }

  /** A bool. */
  record Bool(boolean value) implements Pickled {}

  /** An int of 64 bits. */
  record Int(long value) implements Pickled {}

  /** An int of more than 64 bits. */
  record Big(BigInteger value) implements Pickled {}

  /** A float. */
  record Real(double value) implements Pickled {}

  /** A str. */
  record Text(String value) implements Pickled {}

  /** A tuple. */
  record Tuple(List<Pickled> items) implements Pickled {}

  /** A list. */
  record Items(ArrayList<Pickled> items) implements Pickled {
    Items() {
      this(new ArrayList<>());
    }
  }

  /** A dict or OrderedDict: what was set, in order, with keys that may repeat. */
  record Dict(ArrayList<Entry> entries) implements Pickled {
    Dict() {
      this(new ArrayList<>());
    }

    void put(Pickled key, Pickled value) {
      entries.add(new Entry(key, value));
    }
  }

  /** One key and value of a {@link Dict}. */
  record Entry(Pickled key, Pickled value) {}

  /** The name of a Python class or function; never looked up, never called. */
  record Global(String module, String name) implements Pickled {
    String qualified() {
      return module + "." + name;
    }
  }

  /**
   * The name of a run of elements outside the pickle.
   *
   * @param key its name in the checkpoint
   * @param dtype of its elements; U8 where it has none of its own
   * @param elements how many, at least 0
   */
  record Storage(String key, DType dtype, long elements) implements Pickled {}

  /** A tensor over a part of a storage. */
  record Tensor(Storage storage, StridedLayout layout) implements Pickled {}

  /** What no state_dict needs: byte strings, sets, instances of inert classes. Its parts are dropped. */
  enum Opaque implements Pickled {
    OPAQUE
  }
}
