// SPDX-License-Identifier: Apache-2.0
package dev.motley.weights;

import dev.motley.InvalidInputException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The stack machine that reads pickles of protocol 2 to 5 (opcodes: CPython's Lib/pickletools.py), for data alone: it builds the
 * values of {@link Pickled} and asks {@link Objects} what a name, a call or an outside object stands for. It looks up no class and
 * runs nothing.
 *
 * <p>Every count is compared with the bytes that are left before anything is made of it. Each opcode puts at most one value on the
 * stack or into the memo, so that {@link #MAX_OPCODES} bounds stack, memo, marks and the whole heap used; a value's parts were on
 * the stack before. Nothing here recurses.
 */
final class Unpickler {
  /** About 40 make a tensor of a state_dict, so that this is enough for 25,000 tensors; a heap of 128 MB holds whatever they make. */
  static final int MAX_OPCODES = 1 << 20;

  /** Longest module or class name; Python's own are far shorter. */
  static final int MAX_NAME_BYTES = 256;

  /** Longest int, in bytes; those of a checkpoint have at most 16, those of the legacy form 10. */
  static final int MAX_INT_BYTES = 256;

  private static final int OLDEST_PROTOCOL = 2;
  private static final int NEWEST_PROTOCOL = 5;

  /** What the names in a pickle stand for. Each method throws {@link InvalidInputException} for what it does not know. */
  interface Objects {
    /** A class or function by name. */
    Pickled global(String module, String name);

    /** What calling, or instantiating, a value gives. */
    Pickled call(Pickled callable, Pickled.Tuple arguments);

    /** An object that the pickle only names. */
    Pickled persistent(Pickled id);
  }

  private final String where;
  private final ByteBuffer bytes;
  private final Objects objects;
  private final ArrayList<Pickled> stack = new ArrayList<>();
  private final Deque<Integer> marks = new ArrayDeque<>();
  private final Map<Integer, Pickled> memo = new HashMap<>();

  private Unpickler(String where, ByteBuffer bytes, Objects objects) {
    this.where = where;
    this.bytes = bytes;
    this.objects = objects;
  }

  /**
   * Reads one pickle.
   *
   * @param where the file's name, for messages
   * @param bytes from its position on; afterwards it stands behind the pickle
   * @throws InvalidInputException if it is damaged or goes past a limit
   */
  static Pickled read(String where, ByteBuffer bytes, Objects objects) {
    return new Unpickler(where, bytes.order(ByteOrder.LITTLE_ENDIAN), objects).run();
  }

  private Pickled run() {
    for (int count = 0; count < MAX_OPCODES; count++) {
      int opcode = u1();
      if (opcode == '.') {
        Pickled result = pop();
        if (!stack.isEmpty() || !marks.isEmpty()) {
          throw bad("stops with values left over");
        }
        return result;
      }
      if (!constant(opcode) && !container(opcode) && !object(opcode) && !memoised(opcode)) {
        throw bad("has opcode 0x%02x, which no state_dict needs".formatted(opcode));
      }
    }
    throw bad("has more than " + MAX_OPCODES + " opcodes");
  }

  private boolean constant(int opcode) {
    switch (opcode) {
      case 'N' -> push(Pickled.Nothing.NONE);
      case 0x88 -> push(new Pickled.Bool(true));
      case 0x89 -> push(new Pickled.Bool(false));
      case 'K' -> push(new Pickled.Int(u1()));
      case 'M' -> push(new Pickled.Int(u2()));
      case 'J' -> push(new Pickled.Int(s4()));
      case 0x8a -> push(integer(u1()));
      case 0x8b -> push(integer(count(s4())));
      // The one number of a pickle that is big-endian.
      case 'G' -> push(new Pickled.Real(Double.longBitsToDouble(Long.reverseBytes(s8()))));
      case 0x8c -> push(text(u1()));
      case 'X' -> push(text(count(s4())));
      case 0x8d -> push(text(count(s8())));
      case 'C' -> skip(u1());
      case 'B' -> skip(count(s4()));
      case 0x8e, 0x96 -> skip(count(s8()));
      default -> {
        return false;
      }
    }
    return true;
  }

  private boolean container(int opcode) {
    switch (opcode) {
      case '(' -> marks.push(stack.size());
      case '0' -> pop();
      case '1' -> popMark();
      case ')' -> push(new Pickled.Tuple(List.of()));
      case 't' -> push(new Pickled.Tuple(popMark()));
      case 0x85 -> push(new Pickled.Tuple(pop(1)));
      case 0x86 -> push(new Pickled.Tuple(pop(2)));
      case 0x87 -> push(new Pickled.Tuple(pop(3)));
      case ']' -> push(new Pickled.Items());
      case 'a' -> append(pop(1));
      case 'e' -> append(popMark());
      case '}' -> push(new Pickled.Dict());
      case 's' -> put(pop(2));
      case 'u' -> put(popMark());
      case 0x8f -> push(Pickled.Opaque.OPAQUE);
      case 0x90 -> append(popMark());
      case 0x91 -> {
        popMark();
        push(Pickled.Opaque.OPAQUE);
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  private boolean object(int opcode) {
    switch (opcode) {
      case 'c' -> push(objects.global(line(), line()));
      case 0x93 -> {
        List<Pickled> names = pop(2);
        push(objects.global(name(names.get(0)), name(names.get(1))));
      }
      case 'Q' -> push(objects.persistent(pop()));
      case 'R', 0x81 -> {
        List<Pickled> call = pop(2);
        push(objects.call(call.get(0), tuple(call.get(1))));
      }
      case 0x92 -> {
        // NEWOBJ_EX; with keyword arguments nothing is made but what is inert.
        List<Pickled> call = pop(3);
        push(objects.call(call.get(0), tuple(call.get(1))));
      }
      case 'b' -> {
        // State such as a state_dict's _metadata is attributes, not entries: nothing that a tensor needs.
        pop();
        if (!(top() instanceof Pickled.Dict) && top() != Pickled.Opaque.OPAQUE) {
          throw bad("sets the state of what has none");
        }
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  private boolean memoised(int opcode) {
    switch (opcode) {
      case 0x80 -> {
        int protocol = u1();
        if (protocol < OLDEST_PROTOCOL || protocol > NEWEST_PROTOCOL) {
          throw bad("is of protocol %d, expected %d to %d".formatted(protocol, OLDEST_PROTOCOL, NEWEST_PROTOCOL));
        }
      }
      case 0x95 -> count(s8());
      case 'q' -> memo.put(u1(), top());
      case 'r' -> memo.put(s4(), top());
      case 0x94 -> memo.put(memo.size(), top());
      case 'h' -> push(recall(u1()));
      case 'j' -> push(recall(s4()));
      default -> {
        return false;
      }
    }
    return true;
  }

  private Pickled recall(int index) {
    Pickled value = memo.get(index);
    if (value == null) {
      throw bad("recalls value " + Integer.toUnsignedString(index) + ", which it has not stored");
    }
    return value;
  }

  private void append(List<Pickled> values) {
    switch (top()) {
      case Pickled.Items list -> list.items().addAll(values);
      case Pickled.Opaque _ -> {}
      default -> throw bad("appends to what is no list");
    }
  }

  private void put(List<Pickled> keysAndValues) {
    if (keysAndValues.size() % 2 != 0) {
      throw bad("sets a key without a value");
    }
    switch (top()) {
      case Pickled.Dict dict -> {
        for (int i = 0; i < keysAndValues.size(); i += 2) {
          dict.put(keysAndValues.get(i), keysAndValues.get(i + 1));
        }
      }
      case Pickled.Opaque _ -> {}
      default -> throw bad("sets entries of what is no dict");
    }
  }

  private Pickled.Tuple tuple(Pickled value) {
    if (value instanceof Pickled.Tuple tuple) {
      return tuple;
    }
    throw bad("makes an object of arguments that are no tuple");
  }

  private String name(Pickled value) {
    if (value instanceof Pickled.Text(String name) && name.length() <= MAX_NAME_BYTES) {
      return name;
    }
    throw bad("names a class by what is no name");
  }

  /** The bytes up to a line feed. */
  private String line() {
    int start = bytes.position();
    while (u1() != '\n') {
      if (bytes.position() - start > MAX_NAME_BYTES) {
        throw bad("has a name of more than " + MAX_NAME_BYTES + " bytes");
      }
    }
    int length = bytes.position() - 1 - start;
    return utf8(bytes.slice(start, length));
  }

  private Pickled text(int length) {
    String text = utf8(bytes.slice(bytes.position(), count(length)));
    bytes.position(bytes.position() + length);
    return new Pickled.Text(text);
  }

  private String utf8(ByteBuffer text) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(text).toString();
    } catch (CharacterCodingException e) {
      throw bad("has a text that is not valid UTF-8");
    }
  }

  /** A two's complement int, least byte first. */
  private Pickled integer(int length) {
    if (length > MAX_INT_BYTES) {
      throw bad("has an int of " + length + " bytes, at most " + MAX_INT_BYTES + " are read");
    }
    byte[] bigEndian = new byte[count(length)];
    for (int i = length - 1; i >= 0; i--) {
      bigEndian[i] = bytes.get();
    }
    BigInteger value = length == 0 ? BigInteger.ZERO : new BigInteger(bigEndian);
    return value.bitLength() < Long.SIZE ? new Pickled.Int(value.longValue()) : new Pickled.Big(value);
  }

  private void skip(int length) {
    bytes.position(bytes.position() + count(length));
    push(Pickled.Opaque.OPAQUE);
  }

  private void push(Pickled value) {
    stack.add(value);
  }

  private Pickled top() {
    if (stack.size() <= floor()) {
      throw bad("takes a value from an empty stack");
    }
    return stack.getLast();
  }

  private Pickled pop() {
    top();
    return stack.removeLast();
  }

  private List<Pickled> pop(int count) {
    if (stack.size() - count < floor()) {
      throw bad("takes a value from an empty stack");
    }
    return popFrom(stack.size() - count);
  }

  private List<Pickled> popMark() {
    if (marks.isEmpty()) {
      throw bad("closes what was not opened");
    }
    return popFrom(marks.pop());
  }

  private List<Pickled> popFrom(int start) {
    List<Pickled> tail = stack.subList(start, stack.size());
    List<Pickled> values = List.copyOf(tail);
    tail.clear();
    return values;
  }

  /** Where the stack begins for opcodes that do not look beyond the last mark. */
  private int floor() {
    return marks.isEmpty() ? 0 : marks.peek();
  }

  /** A number of bytes that are there. Those of 2^31 or more are negative or too large. */
  private int count(long count) {
    if (count < 0 || count > bytes.remaining()) {
      throw bad("asks for %s bytes where %d are left".formatted(Long.toUnsignedString(count), bytes.remaining()));
    }
    return (int) count;
  }

  private int u1() {
    count(1);
    return bytes.get() & 0xff;
  }

  private int u2() {
    count(2);
    return bytes.getShort() & 0xffff;
  }

  private int s4() {
    count(4);
    return bytes.getInt();
  }

  private long s8() {
    count(8);
    return bytes.getLong();
  }

  private InvalidInputException bad(String what) {
    return new InvalidInputException(where + ": its pickle " + what + " (at byte " + bytes.position() + ")");
  }
}
