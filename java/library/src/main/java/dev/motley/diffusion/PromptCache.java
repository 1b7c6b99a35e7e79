// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.ffi.NativePrompts;
import dev.motley.ffi.NativeTextEncoder;
import dev.motley.ffi.NativeUNet;
import dev.motley.text.ClipTokenizer;
import dev.motley.text.Encoding;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Encodes prompts and keeps the cross-attention keys and values of as many as fit the budget, so that a data set of a few
 * hundred prompts prepares them once, and one of thousands prepares them batch by batch. Not for several threads.
 */
final class PromptCache implements AutoCloseable {
  /** How much of what was cut off a warning shows, in characters. */
  private static final int SHOWN = 60;

  private static final Logger LOG = System.getLogger(PromptCache.class.getName());

  /** Native memory for keys and values: 500 prompts of the small model, some 70 of Stable Diffusion v1. */
  private static final long BUDGET_BYTES = 512L << 20;

  private final ClipTokenizer tokenizer;
  private final NativeTextEncoder encoder;
  private final NativeUNet unet;
  private final int capacity;

  /** The encoder's output, of resident prompts only: encoding again costs less than a denoising step. */
  private final Map<String, float[]> hidden = new HashMap<>();

  private final Map<String, Integer> resident = new LinkedHashMap<>();

  /** Prompts that were warned of. */
  private final Set<String> cut = new HashSet<>();

  private Optional<NativePrompts> prepared = Optional.empty();

  PromptCache(ClipTokenizer tokenizer, NativeTextEncoder encoder, NativeUNet unet, long bytesPerPrompt) {
    this.tokenizer = tokenizer;
    this.encoder = encoder;
    this.unet = unet;
    this.capacity = (int) Math.max(1, BUDGET_BYTES / bytesPerPrompt);
  }

  /** Makes all of {@code prompts} resident and returns them; {@link #index} says where each is. */
  NativePrompts require(Collection<String> prompts) {
    var missing = new LinkedHashSet<>(prompts);
    missing.removeAll(resident.keySet());
    if (prepared.isPresent() && missing.isEmpty()) {
      return prepared.get();
    }
    var wanted = new LinkedHashSet<String>();
    if (resident.size() + missing.size() <= capacity) {
      wanted.addAll(resident.keySet());
    }
    wanted.addAll(prompts);
    return prepare(new ArrayList<>(wanted));
  }

  /** Makes as many of what later calls will need resident as the budget holds. */
  void prefetch(List<String> prompts) {
    if (!prompts.isEmpty()) {
      require(prompts.stream().distinct().limit(capacity).toList());
    }
  }

  int index(String prompt) {
    return resident.get(prompt);
  }

  private NativePrompts prepare(List<String> prompts) {
    encode(prompts.stream().filter(prompt -> !hidden.containsKey(prompt)).toList());
    int size = encoder.config().positions() * encoder.config().width();
    float[] context = new float[Math.multiplyExact(prompts.size(), size)];
    for (int i = 0; i < prompts.size(); i++) {
      System.arraycopy(hidden.get(prompts.get(i)), 0, context, i * size, size);
    }
    close();
    NativePrompts made = unet.prompts(encoder.config().positions(), context);
    prepared = Optional.of(made);
    for (String prompt : prompts) {
      resident.put(prompt, resident.size());
    }
    hidden.keySet().retainAll(resident.keySet());
    return made;
  }

  private void encode(List<String> prompts) {
    int batch = 64;
    int positions = encoder.config().positions();
    int size = positions * encoder.config().width();
    for (int from = 0; from < prompts.size(); from += batch) {
      List<String> part = prompts.subList(from, Math.min(prompts.size(), from + batch));
      int[] ids = new int[part.size() * positions];
      for (int i = 0; i < part.size(); i++) {
        System.arraycopy(tokenize(part.get(i)), 0, ids, i * positions, positions);
      }
      float[] states = encoder.encode(ids);
      for (int i = 0; i < part.size(); i++) {
        float[] state = new float[size];
        System.arraycopy(states, i * size, state, 0, size);
        hidden.put(part.get(i), state);
      }
    }
  }

  private static String shown(String cut) {
    return cut.codePointCount(0, cut.length()) <= SHOWN
        ? cut
        : cut.substring(0, cut.offsetByCodePoints(0, SHOWN)) + " ...";
  }

  private int[] tokenize(String prompt) {
    Encoding encoding = tokenizer.tokenize(prompt);
    if (encoding.truncated() && cut.add(prompt)) {
      LOG.log(
          Level.WARNING,
          "a prompt has more than {0} tokens; cut off: \"{1}\"",
          tokenizer.maxLength(),
          shown(encoding.cut()));
    }
    return encoding.ids();
  }

  @Override
  public void close() {
    prepared.ifPresent(NativePrompts::close);
    prepared = Optional.empty();
    resident.clear();
  }
}
