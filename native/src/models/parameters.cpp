// SPDX-License-Identifier: Apache-2.0
#include "models/parameters.h"

#include "libtorch/convert.h"

namespace motley {
namespace {

constexpr size_t kFaultsShown = 8;
constexpr int64_t kLargestStandIn = int64_t{1} << 26;  // elements: more than any tensor of the known models

Tensor converted(const NamedTensor& t, Shape shape, DType dtype) {
  Tensor out = Tensor::empty(std::move(shape), dtype);
  convert(t.dtype, t.data, dtype, out.raw(), out.numel());
  return out;
}

// (O, I, KH, KW) -> (O, KH, KW, I)
Tensor channels_last(const Tensor& w) {
  const int64_t o = w.size(0), i = w.size(1), taps = w.size(2) * w.size(3), width = size_of(w.dtype());
  Tensor out = Tensor::empty({o, w.size(2), w.size(3), i}, w.dtype());
  const char* from = static_cast<const char*>(w.raw());
  char* to = static_cast<char*>(out.raw());
  for (int64_t a = 0; a < o; ++a) {
    for (int64_t b = 0; b < i; ++b) {
      for (int64_t t = 0; t < taps; ++t) {
        const char* source = from + ((a * i + b) * taps + t) * width;
        char* target = to + ((a * taps + t) * i + b) * width;
        for (int64_t k = 0; k < width; ++k) target[k] = source[k];
      }
    }
  }
  return out;
}

}  // namespace

const NamedTensor* Parameters::find(const std::string& name, const Shape& shape) {
  used_.insert(name);
  auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    faults_.push_back(concat(name, " is missing (expected ", shown(shape), ")"));
    return nullptr;
  }
  if (found->second.shape != shape) {
    faults_.push_back(concat(name, " has shape ", shown(found->second.shape), ", expected ", shown(shape)));
    return nullptr;
  }
  return &found->second;
}

Tensor Parameters::take(const std::string& name, const Shape& shape, DType dtype) {
  const NamedTensor* t = find(name, shape);
  if (t != nullptr) return converted(*t, shape, dtype);
  // Zeros stand in, so that the other faults are found too; not for sizes that a wrong config may ask for.
  if (elements(shape) > kLargestStandIn) report(faults_);
  return Tensor::zeros(shape, dtype);
}

Tensor Parameters::take_conv(const std::string& name, int64_t out, int64_t in, int64_t kernel, DType dtype) {
  return channels_last(take(name, {out, in, kernel, kernel}, dtype));
}

Tensor Parameters::take_matrix(const std::string& name, int64_t out, int64_t in, DType dtype) {
  auto found = tensors_.find(name);
  const bool as_conv = found != tensors_.end() && found->second.shape == Shape{out, in, 1, 1};
  Tensor t = as_conv ? take(name, {out, in, 1, 1}, dtype) : take(name, {out, in}, dtype);
  return as_conv ? t.viewed({out, in}) : t;
}

void Parameters::finish() const {
  std::vector<std::string> faults = faults_;
  for (const auto& [name, tensor] : tensors_) {
    if (used_.count(name) == 0) faults.push_back(concat(name, " ", shown(tensor.shape), " is not part of the model"));
  }
  if (!faults.empty()) report(faults);
}

void Parameters::report(const std::vector<std::string>& faults) const {
  std::string text = part_ + ": ";
  for (size_t i = 0; i < faults.size() && i < kFaultsShown; ++i) text += (i ? "; " : "") + faults[i];
  if (faults.size() > kFaultsShown) text += concat("; and ", faults.size() - kFaultsShown, " more");
  throw Error(MOTLEY_INVALID_ARGUMENT, text);
}

}  // namespace motley
