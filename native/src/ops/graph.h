// SPDX-License-Identifier: Apache-2.0
// The graph of a model, drawn while it runs: each op notes itself, so that an export needs no second description of a model.
#pragma once

#include <initializer_list>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "libtorch/tensor.h"

namespace motley {

class Graph {
 public:
  struct Number {
    double value;
    template <typename T>
    Number(T number) : value(static_cast<double>(number)) {}
  };
  using Attributes = std::initializer_list<std::pair<const char*, Number>>;

  /// The graph that is drawn on this thread; null otherwise.
  static Graph* current();

  /// Draws on this thread while it lives. Scopes do not nest.
  class Drawing {
   public:
    explicit Drawing(Graph& graph);
    ~Drawing();
    Drawing(const Drawing&) = delete;
    Drawing& operator=(const Drawing&) = delete;
  };

  /// Gives a tensor its name: the model's input or a parameter.
  void name(const Tensor& tensor, const std::string& name);
  /// For an op after its work. An undefined input stands for one that is left out; the output may share an input's memory.
  void add(const char* op, std::initializer_list<Tensor> inputs, const Tensor& output, Attributes attributes = {});

  /// {"output":VALUE,"nodes":[{"op":...,"inputs":[VALUE or null, ...],"output":VALUE,"shape":[...],ATTRIBUTE:NUMBER, ...}, ...]}; values
  /// are named as `name` says or "%1", "%2", ... in the order of the ops; shapes are the outputs'.
  std::string json(const Tensor& output) const;

 private:
  std::string value(const Tensor& tensor) const;

  std::unordered_map<const void*, std::string> values_;
  std::vector<Tensor> kept_;  // no other tensor takes an address
  std::vector<std::string> nodes_;
};

}  // namespace motley
