// SPDX-License-Identifier: Apache-2.0
#include "ops/cast.h"

#include "ops/graph.h"
#include "ops/tape.h"

namespace motley::ops {

Tensor cast(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  const Tensor y = x.to(dtype);
  if (Graph* graph = Graph::current()) graph->add("cast", {x}, y);
  if (Tape* tape = Tape::current()) {
    const DType from = x.dtype();
    tape->record(y, {x}, [=](Tape& t, const Tensor& dy) { t.add(x, dy.to(from)); });
  }
  return y;
}

}  // namespace motley::ops
