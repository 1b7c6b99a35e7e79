// SPDX-License-Identifier: Apache-2.0
#include "models/parameters.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

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

// The whole pages of a mapped file that a tensor covers: read again, they would come from the file. So a model takes the memory of
// its own weights, not that of the file besides.
void let_go(const NamedTensor& t) {
  if (!t.mapped) return;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<uintptr_t>(t.data) + page - 1) / page * page;
  const auto end = (reinterpret_cast<uintptr_t>(t.data) + static_cast<uintptr_t>(elements(t.shape) * size_of(t.dtype))) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
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
  if (t != nullptr) {
    const Tensor taken = converted(*t, shape, dtype);
    let_go(*t);
    return taken;
  }
  // Zeros stand in, so that the other faults are found too; not for sizes that a wrong config may ask for.
  if (elements(shape) > kLargestStandIn) report(faults_);
  return Tensor::zeros(shape, dtype);
}

ops::Weight Parameters::take_conv(const std::string& name, int64_t out, int64_t in, int64_t kernel, DType dtype) {
  const NamedTensor* t = find(name, {out, in, kernel, kernel});
  if (t == nullptr) return {};
  ops::Weight weight({out, kernel, kernel, in}, dtype);
  weight.fill(0, out, t->dtype, t->data);
  let_go(*t);
  return weight;
}

ops::Weight Parameters::take_matrices(const std::vector<std::string>& names, int64_t out, int64_t in, DType dtype) {
  std::vector<const NamedTensor*> parts;
  for (const std::string& name : names) {
    const auto found = tensors_.find(name);
    const bool as_conv = found != tensors_.end() && found->second.shape == Shape{out, in, 1, 1};
    parts.push_back(find(name, as_conv ? Shape{out, in, 1, 1} : Shape{out, in}));
  }
  if (std::find(parts.begin(), parts.end(), nullptr) != parts.end()) return {};
  ops::Weight weight({out * static_cast<int64_t>(parts.size()), in}, dtype);
  for (size_t i = 0; i < parts.size(); ++i) {
    weight.fill(static_cast<int64_t>(i) * out, out, parts[i]->dtype, parts[i]->data);
    let_go(*parts[i]);
  }
  return weight;
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
