// SPDX-License-Identifier: Apache-2.0
// Reverse-mode differentiation for models written once: while a tape records, each op pushes its backward.
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "libtorch/tensor.h"

namespace motley {

class Tape {
 public:
  /// The tape that records on this thread; null during inference.
  static Tape* current();

  /// Records on this thread while it lives. Scopes do not nest.
  class Recording {
   public:
    explicit Recording(Tape& tape);
    ~Recording();
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;
  };

  /// Nothing is recorded on this thread while it lives.
  class Pause {
   public:
    Pause();
    ~Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    Tape* paused_;
  };

  /// A leaf whose gradient is kept: backward writes it into `gradient` (same shape; overwritten, not added to; 0 if y does not
  /// depend on it).
  void watch(const Tensor& parameter, Tensor gradient);
  /// Whether a gradient of t is wanted: t was watched, or made by an op from something watched.
  bool wants(const Tensor& t) const;
  /// For an op with output `y`: `backward(dy)` calls `add` for its inputs; dy's memory is its own, to overwrite or to pass
  /// on as the gradient of one input. Recorded only if an input is wanted.
  void record(const Tensor& y, std::initializer_list<Tensor> inputs, std::function<void(Tape&, const Tensor& dy)> backward);
  void record(const std::vector<Tensor>& outputs, std::initializer_list<Tensor> inputs,
              std::function<void(Tape&, const std::vector<Tensor>& dys)> backward);

  /// Adds to t's gradient; takes over `gradient` when it is the first. No-op if t is not wanted.
  void add(const Tensor& t, Tensor gradient);
  /// Where an op may write t's gradient in place when it is the first contribution: the watched buffer, or undefined.
  /// Follow with `add(t, that buffer)`.
  Tensor destination(const Tensor& t) const;
  /// Where an op may write the whole of a float32 gradient before it calls `add`: the destination, or new memory.
  Tensor place_for(const Tensor& t) const;
  /// t's gradient so far, for an op that adds its contribution in place (and then calls no `add`): undefined before the first.
  Tensor so_far(const Tensor& t) const;

  /// Runs the recorded backwards in reverse from d(loss)/d(y) = dy, and forgets them. dy's values may be overwritten.
  void backward(const Tensor& y, Tensor dy);
  void clear();

 private:
  struct Entry {
    std::vector<Tensor> outputs;
    std::function<void(Tape&, const std::vector<Tensor>&)> backward;
  };
  std::vector<Entry> entries_;
  std::unordered_map<const void*, Tensor> watched_;    // parameter -> gradient buffer
  std::unordered_map<const void*, Tensor> gradients_;  // of tensors wanted, while backward runs
  std::unordered_map<const void*, bool> wanted_;
};

}  // namespace motley
