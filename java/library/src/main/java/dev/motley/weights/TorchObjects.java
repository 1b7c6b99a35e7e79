// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What the names in a PyTorch checkpoint's pickle stand for. There are three kinds, told apart by name alone:
 *
 * <ol>
 *   <li><b>Understood</b>: what torch.save writes for a state_dict (OrderedDict, the functions that rebuild a tensor, storage
 *       types, element types, Size). Motley's own code does what they would.
 *   <li><b>Inert</b>: what Lightning checkpoints hold beside their state_dict (NumPy scalars, callbacks, hyper-parameters). An
 *       instance becomes {@link Pickled.Opaque}, its arguments and state are dropped. These are {@link #INERT} and, of the packages
 *       {@link #INERT_PACKAGES}, names that begin like a class's: one upper-case letter first, no dots.
 *   <li><b>Refused</b>: all others, whether the pickle calls them or not, and in whatever part of the checkpoint they stand.
 * </ol>
 *
 * <p>This is safe because no name is ever resolved: there is no Python here, and no Java class is found by a name from the file. An
 * inert name is no more than a string that was looked up in a list. The lists exist so that a file with code in it is named as such
 * instead of being read around.
 */
final class TorchObjects implements Unpickler.Objects {
  private static final Map<String, DType> STORAGES =
      Map.ofEntries(
          Map.entry("torch.DoubleStorage", DType.F64),
          Map.entry("torch.FloatStorage", DType.F32),
          Map.entry("torch.HalfStorage", DType.F16),
          Map.entry("torch.BFloat16Storage", DType.BF16),
          Map.entry("torch.LongStorage", DType.I64),
          Map.entry("torch.IntStorage", DType.I32),
          Map.entry("torch.ShortStorage", DType.I16),
          Map.entry("torch.CharStorage", DType.I8),
          Map.entry("torch.ByteStorage", DType.U8),
          Map.entry("torch.BoolStorage", DType.BOOL),
          Map.entry("torch.ComplexFloatStorage", DType.C64),
          Map.entry("torch.storage.UntypedStorage", DType.U8));

  private static final Map<String, DType> DTYPES =
      Map.ofEntries(
          Map.entry("torch.float64", DType.F64),
          Map.entry("torch.float32", DType.F32),
          Map.entry("torch.float16", DType.F16),
          Map.entry("torch.bfloat16", DType.BF16),
          Map.entry("torch.int64", DType.I64),
          Map.entry("torch.int32", DType.I32),
          Map.entry("torch.int16", DType.I16),
          Map.entry("torch.int8", DType.I8),
          Map.entry("torch.uint64", DType.U64),
          Map.entry("torch.uint32", DType.U32),
          Map.entry("torch.uint16", DType.U16),
          Map.entry("torch.uint8", DType.U8),
          Map.entry("torch.bool", DType.BOOL),
          Map.entry("torch.complex64", DType.C64),
          Map.entry("torch.float8_e4m3fn", DType.F8_E4M3),
          Map.entry("torch.float8_e5m2", DType.F8_E5M2),
          Map.entry("torch.float8_e4m3fnuz", DType.F8_E4M3FNUZ),
          Map.entry("torch.float8_e5m2fnuz", DType.F8_E5M2FNUZ),
          Map.entry("torch.float8_e8m0fnu", DType.F8_E8M0));

  private static final String ORDERED_DICT = "collections.OrderedDict";
  private static final String REBUILD_TENSOR = "torch._utils._rebuild_tensor_v2";
  private static final String REBUILD_TENSOR_OF_TYPE = "torch._utils._rebuild_tensor_v3";
  private static final String REBUILD_PARAMETER = "torch._utils._rebuild_parameter";
  private static final String SIZE = "torch.Size";

  private static final Set<String> CALLABLE =
      Set.of(ORDERED_DICT, REBUILD_TENSOR, REBUILD_TENSOR_OF_TYPE, REBUILD_PARAMETER, SIZE);

  /** Names that Lightning checkpoints are known to hold outside of their state_dict. */
  private static final Set<String> INERT =
      Set.of(
          "numpy.core.multiarray.scalar",
          "numpy._core.multiarray.scalar",
          "numpy.core.multiarray._reconstruct",
          "numpy._core.multiarray._reconstruct",
          "numpy.ndarray",
          "numpy.dtype",
          "_codecs.encode",
          "collections.defaultdict",
          "typing.Any",
          "argparse.Namespace",
          "pathlib.PosixPath",
          "torch.device",
          "__builtin__.dict",
          "__builtin__.list",
          "__builtin__.set",
          "__builtin__.int",
          "__builtin__.float",
          "__builtin__.str",
          "builtins.dict",
          "builtins.list",
          "builtins.set",
          "builtins.int",
          "builtins.float",
          "builtins.str");

  private static final Set<String> INERT_PACKAGES = Set.of("pytorch_lightning", "lightning", "lightning_fabric", "omegaconf");

  private static final Pattern MODULE = Pattern.compile("[a-z0-9_]+(\\.[a-z0-9_]+)*");
  private static final Pattern CLASS = Pattern.compile("[A-Z][A-Za-z0-9_]*");

  private final String where;
  private final Map<String, Pickled.Storage> storages = new HashMap<>();

  /**
   * @param where the file's name, for messages
   */
  TorchObjects(String where) {
    this.where = where;
  }

  /** The storages named so far, by key. */
  Map<String, Pickled.Storage> storages() {
    return storages;
  }

  @Override
  public Pickled global(String module, String name) {
    Pickled.Global global = new Pickled.Global(module, name);
    String qualified = global.qualified();
    if (STORAGES.containsKey(qualified) || DTYPES.containsKey(qualified) || CALLABLE.contains(qualified) || isInert(global)) {
      return global;
    }
    throw bad("holds code or objects of " + Quote.of(qualified) + ", which no state_dict needs; nothing of it was run");
  }

  private static boolean isInert(Pickled.Global global) {
    String root = global.module().split("\\.", 2)[0];
    return INERT.contains(global.qualified())
        || INERT_PACKAGES.contains(root)
            && MODULE.matcher(global.module()).matches()
            && CLASS.matcher(global.name()).matches();
  }

  @Override
  public Pickled call(Pickled callable, Pickled.Tuple arguments) {
    if (!(callable instanceof Pickled.Global global)) {
      throw bad("makes an object of what is no class");
    }
    List<Pickled> given = arguments.items();
    return switch (global.qualified()) {
      case ORDERED_DICT -> {
        require(given.isEmpty(), "an OrderedDict", given);
        yield new Pickled.Dict();
      }
      case REBUILD_TENSOR -> {
        // storage, offset, size, stride, requires_grad, hooks, and sometimes metadata
        require(given.size() == 6 || given.size() == 7, "a tensor", given);
        Pickled.Storage storage = storage(given.get(0));
        yield tensor(storage, storage.dtype(), given);
      }
      case REBUILD_TENSOR_OF_TYPE -> {
        // storage, offset, size, stride, requires_grad, hooks, dtype, and sometimes metadata
        require(given.size() == 7 || given.size() == 8, "a tensor", given);
        yield tensor(storage(given.get(0)), dtype(given.get(6)), given);
      }
      case REBUILD_PARAMETER -> {
        // data, requires_grad, hooks
        require(given.size() == 3 && given.get(0) instanceof Pickled.Tensor, "a parameter", given);
        yield given.get(0);
      }
      case SIZE -> {
        require(given.size() == 1 && given.get(0) instanceof Pickled.Tuple, "a Size", given);
        yield given.get(0);
      }
      default -> {
        if (!isInert(global)) {
          throw bad("makes an object of " + Quote.of(global.qualified()) + ", which is a type of elements");
        }
        yield Pickled.Opaque.OPAQUE;
      }
    };
  }

  /** ("storage", type, key, device, elements) and, in the legacy form, a view that no PyTorch since 0.4 writes: None. */
  @Override
  public Pickled persistent(Pickled id) {
    if (!(id instanceof Pickled.Tuple(List<Pickled> parts))
        || parts.size() < 5
        || parts.size() > 6
        || !(parts.get(0) instanceof Pickled.Text(String kind) && kind.equals("storage"))
        || !(parts.get(1) instanceof Pickled.Global type && STORAGES.containsKey(type.qualified()))
        || !(parts.get(2) instanceof Pickled.Text(String key))
        || !(parts.get(4) instanceof Pickled.Int(long elements))
        || elements < 0
        || parts.size() == 6 && parts.get(5) != Pickled.Nothing.NONE) {
      throw bad("refers to an outside object that is no storage");
    }
    Pickled.Storage storage = new Pickled.Storage(key, STORAGES.get(type.qualified()), elements);
    Pickled.Storage before = storages.putIfAbsent(key, storage);
    if (before != null && !before.equals(storage)) {
      throw bad("gives storage " + Quote.of(key) + " two types or sizes");
    }
    return storage;
  }

  private Pickled.Tensor tensor(Pickled.Storage storage, DType dtype, List<Pickled> given) {
    long[] size = numbers("size", given.get(2));
    long[] stride = numbers("stride", given.get(3));
    if (size.length != stride.length || size.length > StridedLayout.MAX_RANK) {
      throw bad("has a tensor of %d sizes and %d strides".formatted(size.length, stride.length));
    }
    long offset = number("offset", given.get(1));
    try {
      return new Pickled.Tensor(storage, StridedLayout.of(dtype, size, stride, offset));
    } catch (ArithmeticException e) {
      throw bad("has a tensor of impossible size in storage " + Quote.of(storage.key()) + ": its bytes are more than 64 bits count");
    }
  }

  private Pickled.Storage storage(Pickled value) {
    if (value instanceof Pickled.Storage storage) {
      return storage;
    }
    throw bad("has a tensor without a storage");
  }

  private DType dtype(Pickled value) {
    if (value instanceof Pickled.Global global && DTYPES.containsKey(global.qualified())) {
      return DTYPES.get(global.qualified());
    }
    throw bad("has a tensor without an element type");
  }

  private long[] numbers(String what, Pickled value) {
    if (!(value instanceof Pickled.Tuple(List<Pickled> items))) {
      throw bad("has a tensor whose " + what + " is no tuple");
    }
    return items.stream().mapToLong(item -> number(what, item)).toArray();
  }

  private long number(String what, Pickled value) {
    if (value instanceof Pickled.Int(long number) && number >= 0) {
      return number;
    }
    throw bad("has a tensor with a negative " + what + ", or one that is no number");
  }

  private void require(boolean expected, String what, List<Pickled> given) {
    if (!expected) {
      throw bad("makes " + what + " of unexpected arguments (" + given.size() + ")");
    }
  }

  private InvalidInputException bad(String what) {
    return new InvalidInputException(where + ": its pickle " + what);
  }
}
