// SPDX-License-Identifier: Apache-2.0
#include "ops/graph.h"

#include <cstdio>

namespace motley {
namespace {

thread_local Graph* drawing = nullptr;

std::string quoted(const std::string& text) { return concat('"', text, '"'); }

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

}  // namespace

Graph* Graph::current() { return drawing; }

Graph::Drawing::Drawing(Graph& graph) {
  ensure(drawing == nullptr, "a graph is already being drawn on this thread");
  drawing = &graph;
}

Graph::Drawing::~Drawing() { drawing = nullptr; }

void Graph::name(const Tensor& tensor, const std::string& name) {
  values_[tensor.id()] = name;
  kept_.push_back(tensor);
}

std::string Graph::value(const Tensor& tensor) const {
  const auto found = values_.find(tensor.id());
  ensure(found != values_.end(), "the graph's op has an input of shape ", shown(tensor.shape()), " that none of its ops made");
  return found->second;
}

void Graph::add(const char* op, std::initializer_list<Tensor> inputs, const Tensor& output, Attributes attributes) {
  std::string node = concat("{\"op\":\"", op, "\",\"inputs\":[");
  const char* comma = "";
  for (const Tensor& input : inputs) {
    node += comma;
    node += input ? quoted(value(input)) : "null";
    comma = ",";
  }
  const std::string made = concat('%', nodes_.size() + 1);
  node += concat("],\"output\":", quoted(made), ",\"shape\":[");
  comma = "";
  for (int64_t size : output.shape()) {
    node += concat(comma, size);
    comma = ",";
  }
  node += ']';
  for (const auto& [key, attribute] : attributes) node += concat(",\"", key, "\":", number(attribute.value));
  node += '}';
  nodes_.push_back(std::move(node));
  name(output, made);
}

std::string Graph::json(const Tensor& output) const {
  std::string all = concat("{\"output\":", quoted(value(output)), ",\"nodes\":[");
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (i > 0) all += ',';
    all += nodes_[i];
  }
  all += "]}";
  return all;
}

}  // namespace motley
