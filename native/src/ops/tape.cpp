// SPDX-License-Identifier: Apache-2.0
#include "ops/tape.h"

#include <cstring>

#include "libtorch/convert.h"
#include "libtorch/parallel.h"
#include "ops/work.h"

namespace motley {
namespace {

thread_local Tape* recording = nullptr;

template <typename T>
void add_as(const Tensor& to, const Tensor& from) {
  T* a = to.data<T>();
  const T* b = from.data<T>();
  parallel_for(to.numel(), 1 << 15, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) a[i] = from_float<T>(to_float(a[i]) + to_float(b[i]));
  });
}

void add_into(const Tensor& to, const Tensor& from) {
  const ops::Timed timed("gradient add", [&] { return ops::passing_work(to, {&to, &from, &to}); });
  ensure(to.shape() == from.shape(), "gradients of shapes ", shown(to.shape()), " and ", shown(from.shape()));
  to.dtype() == DType::bf16 ? add_as<bf16>(to, from) : add_as<float>(to, from);
}

}  // namespace

Tape* Tape::current() { return recording; }

Tape::Recording::Recording(Tape& tape) {
  ensure(recording == nullptr, "a tape is already recording on this thread");
  recording = &tape;
}

Tape::Recording::~Recording() { recording = nullptr; }

Tape::Pause::Pause() : paused_(recording) { recording = nullptr; }

Tape::Pause::~Pause() { recording = paused_; }

void Tape::watch(const Tensor& parameter, Tensor gradient) {
  ensure(parameter.shape() == gradient.shape(), "gradient buffer of shape ", shown(gradient.shape()), " for a parameter of shape ",
         shown(parameter.shape()));
  watched_[parameter.id()] = std::move(gradient);
}

bool Tape::wants(const Tensor& t) const { return t.defined() && (watched_.count(t.id()) != 0 || wanted_.count(t.id()) != 0); }

void Tape::record(const Tensor& y, std::initializer_list<Tensor> inputs, std::function<void(Tape&, const Tensor&)> backward) {
  record(std::vector<Tensor>{y}, inputs,
         [backward = std::move(backward)](Tape& tape, const std::vector<Tensor>& dys) { backward(tape, dys[0]); });
}

void Tape::record(const std::vector<Tensor>& outputs, std::initializer_list<Tensor> inputs,
                  std::function<void(Tape&, const std::vector<Tensor>&)> backward) {
  bool any = false;
  for (const Tensor& input : inputs) any |= wants(input);
  if (!any) return;
  for (const Tensor& y : outputs) wanted_[y.id()] = true;
  entries_.push_back({outputs, std::move(backward)});
}

void Tape::add(const Tensor& t, Tensor gradient) {
  if (!wants(t)) return;
  auto [place, first] = gradients_.try_emplace(t.id());
  if (!first) {
    add_into(place->second, gradient);
    return;
  }
  auto watched = watched_.find(t.id());
  if (watched == watched_.end()) {
    place->second = std::move(gradient);
    return;
  }
  place->second = watched->second;
  if (gradient.raw() != place->second.raw()) {
    ensure(gradient.bytes() == place->second.bytes(), "gradient of ", gradient.bytes(), " bytes for a buffer of ", place->second.bytes());
    std::memcpy(place->second.raw(), gradient.raw(), static_cast<size_t>(gradient.bytes()));
  }
}

Tensor Tape::destination(const Tensor& t) const {
  if (gradients_.count(t.id()) != 0) return {};
  auto watched = watched_.find(t.id());
  return watched == watched_.end() ? Tensor() : watched->second;
}

Tensor Tape::place_for(const Tensor& t) const {
  const Tensor place = destination(t);
  return place ? place : Tensor::empty(t.shape());
}

Tensor Tape::so_far(const Tensor& t) const {
  auto found = gradients_.find(t.id());
  return found == gradients_.end() ? Tensor() : found->second;
}

void Tape::backward(const Tensor& y, Tensor dy) {
  ensure(recording == nullptr, "backward while a tape is recording");
  gradients_.clear();
  add(y, std::move(dy));
  while (!entries_.empty()) {
    Entry entry = std::move(entries_.back());
    entries_.pop_back();
    std::vector<Tensor> dys;
    bool any = false;
    for (const Tensor& output : entry.outputs) {
      auto found = gradients_.find(output.id());
      dys.push_back(found == gradients_.end() ? Tensor() : found->second);
      any |= dys.back().defined();
      if (found != gradients_.end()) gradients_.erase(found);  // nothing before this entry can add to it
    }
    if (any) entry.backward(*this, dys);
  }
  for (const auto& [parameter, gradient] : watched_) {  // a branch that no image took
    if (gradients_.count(parameter) == 0) std::memset(gradient.raw(), 0, static_cast<size_t>(gradient.bytes()));
  }
  clear();
}

void Tape::clear() {
  entries_.clear();
  gradients_.clear();
  wanted_.clear();
}

}  // namespace motley
