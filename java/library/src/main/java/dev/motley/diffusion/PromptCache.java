// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.InvalidInputException;
import dev.motley.ffi.NativePrompts;
import dev.motley.ffi.NativeTextEncoder;
import dev.motley.ffi.NativeUNet;
import dev.motley.text.ClipTokenizer;
import dev.motley.text.Encoding;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Arrays;
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
  private static final Logger LOG = System.getLogger(PromptCache.class.getName());

  /** Native memory for keys and values: 500 prompts of the small model, some 70 of Stable Diffusion v1. */
  private static final long BUDGET_BYTES = 512L << 20;

  /** Texts encoded together: enough to fill the processors, at half a megabyte or less each. */
  private static final int ENCODED_TOGETHER = 64;

  private final ClipTokenizer tokenizer;
  private final NativeTextEncoder encoder;
  private final NativeUNet unet;
  private final long bytesPerToken;

  /** The encoder's output, of resident prompts only: encoding again costs less than a denoising step. */
  private final Map<Conditioning, float[]> hidden = new HashMap<>();

  private final Map<Conditioning, Integer> resident = new LinkedHashMap<>();

  /** Prompts that were warned of. */
  private final Set<String> cut = new HashSet<>();

  private Optional<NativePrompts> prepared = Optional.empty();

  /** Of each resident prompt. */
  private int tokens;

  PromptCache(ClipTokenizer tokenizer, NativeTextEncoder encoder, NativeUNet unet, long bytesPerToken) {
    this.tokenizer = tokenizer;
    this.encoder = encoder;
    this.unet = unet;
    this.bytesPerToken = bytesPerToken;
  }

  /** Prompts of so many tokens that the budget holds, at least one. */
  static int capacity(long bytesPerToken, int tokens) {
    return (int) Math.max(1, BUDGET_BYTES / bytesPerToken / tokens);
  }

  /** Makes all of {@code prompts} resident and returns them; {@link #index} says where each is. */
  NativePrompts require(Collection<Conditioning> prompts) {
    int tokens = tokensOf(prompts);
    var missing = new LinkedHashSet<>(prompts);
    missing.removeAll(resident.keySet());
    if (prepared.isPresent() && missing.isEmpty()) {
      return prepared.get();
    }
    var wanted = new LinkedHashSet<Conditioning>();
    if (tokens == this.tokens && resident.size() + missing.size() <= capacity(bytesPerToken, tokens)) {
      wanted.addAll(resident.keySet());
    }
    wanted.addAll(prompts);
    return prepare(new ArrayList<>(wanted), tokens);
  }

  /** Makes as many of what later calls will need resident as the budget holds. */
  void prefetch(List<? extends Conditioning> prompts) {
    if (!prompts.isEmpty()) {
      int most = capacity(bytesPerToken, tokens(prompts.getFirst()));
      require(prompts.stream().<Conditioning>map(prompt -> prompt).distinct().limit(most).toList());
    }
  }

  int index(Conditioning prompt) {
    return resident.get(prompt);
  }

  /** Of all: a batch attends to one number of tokens. */
  private int tokensOf(Collection<Conditioning> prompts) {
    Conditioning first = prompts.iterator().next();
    for (Conditioning prompt : prompts) {
      if (prompt instanceof Conditioning.Embedding embedding && embedding.width() != unet.config().crossAttentionDim()) {
        throw new InvalidInputException(
            "%s is %d wide, this model attends to vectors of %d".formatted(embedding, embedding.width(), unet.config().crossAttentionDim()));
      }
      if (tokens(prompt) != tokens(first)) {
        throw new InvalidInputException(
            "%s has %d tokens and %s %d: prompts and negative prompts of a batch must have the same number"
                .formatted(first, tokens(first), prompt, tokens(prompt)));
      }
    }
    return tokens(first);
  }

  private int tokens(Conditioning prompt) {
    return switch (prompt) {
      case Conditioning.Text _ -> encoder.config().positions();
      case Conditioning.Embedding embedding -> embedding.tokens();
    };
  }

  private NativePrompts prepare(List<Conditioning> prompts, int count) {
    encode(prompts.stream().filter(prompt -> !hidden.containsKey(prompt)).toList());
    int size = count * unet.config().crossAttentionDim();
    float[] context = new float[Math.multiplyExact(prompts.size(), size)];
    for (int i = 0; i < prompts.size(); i++) {
      System.arraycopy(hidden.get(prompts.get(i)), 0, context, i * size, size);
    }
    close();
    NativePrompts made = unet.prompts(count, context);
    prepared = Optional.of(made);
    tokens = count;
    for (Conditioning prompt : prompts) {
      resident.put(prompt, resident.size());
    }
    hidden.keySet().retainAll(resident.keySet());
    return made;
  }

  private void encode(List<Conditioning> prompts) {
    var texts = new ArrayList<Conditioning.Text>();
    for (Conditioning prompt : prompts) {
      switch (prompt) {
        case Conditioning.Text text -> texts.add(text);
        case Conditioning.Embedding embedding -> hidden.put(embedding, embedding.values());
      }
    }
    for (int from = 0; from < texts.size(); from += ENCODED_TOGETHER) {
      List<Conditioning.Text> part = texts.subList(from, Math.min(texts.size(), from + ENCODED_TOGETHER));
      List<float[]> states = states(part.stream().map(Conditioning.Text::text).toList());
      for (int i = 0; i < part.size(); i++) {
        hidden.put(part.get(i), states.get(i));
      }
    }
  }

  /** The encoder's output of texts, (positions, width) each. */
  List<float[]> states(List<String> texts) {
    int positions = encoder.config().positions();
    int size = positions * encoder.config().width();
    int[] ids = new int[texts.size() * positions];
    for (int i = 0; i < texts.size(); i++) {
      System.arraycopy(tokenize(texts.get(i)), 0, ids, i * positions, positions);
    }
    float[] states = encoder.encode(ids);
    var each = new ArrayList<float[]>();
    for (int i = 0; i < texts.size(); i++) {
      each.add(Arrays.copyOfRange(states, i * size, (i + 1) * size));
    }
    return each;
  }

  private int[] tokenize(String prompt) {
    Encoding encoding = tokenizer.tokenize(prompt);
    if (encoding.truncated() && cut.add(prompt)) {
      LOG.log(Level.WARNING, "{0}", encoding.tooLong(prompt));
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
