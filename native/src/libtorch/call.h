// SPDX-License-Identifier: Apache-2.0
// Calls any ATen operator through torch_call_dispatcher. Arguments are given in schema order; the callee
// takes ownership of handles, so each is made for the call. libtorch reports errors only on stderr:
// check shapes before a call, so that users get our message.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "libtorch/symbols.h"
#include "libtorch/tensor.h"

namespace motley::libtorch {

/// How a dense NHWC (OHWI, ...) tensor is shown to ATen.
enum class View {
  plain,         // sizes as they are, row-major
  channels_last  // (N, H, W, C) shown as sizes (N, C, H, W) with channels-last strides
};

class Call {
 public:
  Call(const char* op, const char* overload = "");
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  Call& tensor(const Tensor& t, View view = View::plain);
  Call& optional(const Tensor& t, View view = View::plain);  // undefined -> none
  Call& integer(int64_t value);
  Call& real(double value);
  Call& boolean(bool value);
  Call& none();
  Call& integers(std::initializer_list<int64_t> values);
  Call& booleans(std::initializer_list<bool> values);
  Call& tensors(std::initializer_list<Tensor> values);
  Call& text(const char* value);

  /// Runs; returns `results` tensors, dense and row-major in the given view (copied if libtorch chose another layout).
  /// An undefined result (an output mask said no) is an undefined Tensor.
  std::vector<Tensor> run(int results, View view = View::plain);
  /// The same with a view for each result.
  std::vector<Tensor> run(std::initializer_list<View> views);

 private:
  std::vector<Tensor> adopt_results(const std::vector<View>& views);

  std::string op_, overload_;
  std::vector<uint64_t> stack_;
};

}  // namespace motley::libtorch
