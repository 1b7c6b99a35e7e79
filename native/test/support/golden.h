// SPDX-License-Identifier: Apache-2.0
// Test support: results of the reference libraries (NAME.safetensors, NAME.json) and the rule that fills weights.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libtorch/tensor.h"
#include "models/parameters.h"

namespace motley::test {

/// The rule for weights and inputs that are not stored: splitmix64 seeded by FNV-1a of the name, by the tensor's kind.
std::vector<float> fill(const std::string& name, const Shape& shape);
/// In [-scale, scale).
std::vector<float> fill_input(const std::string& name, const Shape& shape, double scale = 1.0);

/// A JSON value, as much of it as the goldens need.
struct Json {
  enum class Kind { null, boolean, number, text, array, object } kind = Kind::null;
  double number = 0;  // also 0 or 1 of a boolean
  std::string text;
  std::vector<Json> items;
  std::vector<std::pair<std::string, Json>> members;  // in the file's order

  bool has(const std::string& key) const;
  const Json& operator[](const std::string& key) const;  // throws if absent
  const Json& operator[](size_t index) const { return items.at(index); }
};
Json parse_json(const std::string& text);

class Golden {
 public:
  /// Reads NAME.safetensors and NAME.json from `directory`; by default the small goldens kept beside the tests.
  explicit Golden(const std::string& name, const std::string& directory = MOTLEY_GOLDEN_DIR);

  const Json& meta() const { return meta_; }
  bool has(const std::string& tensor) const { return tensors_.count(tensor) != 0; }
  /// A float32 tensor of the file (float64 is rounded).
  const std::vector<float>& values(const std::string& tensor) const;
  const Shape& shape(const std::string& tensor) const;

 private:
  struct Entry {
    Shape shape;
    std::vector<float> values;
  };
  std::map<std::string, Entry> tensors_;
  Json meta_;
};

/// Named tensors filled by the rule from a JSON object {name: shape}, e.g. meta()["state_dict"]; keeps their memory.
class FilledWeights {
 public:
  FilledWeights(const Json& shapes, const std::string& prefix);
  const NamedTensors& tensors() const { return tensors_; }
  void round_to_bf16();

 private:
  std::map<std::string, std::vector<float>> memory_;
  NamedTensors tensors_;
};

/// Largest |a - b| and root mean square of a - b.
struct Difference {
  double max_abs = 0, rms = 0;
};
Difference difference(const float* a, const float* b, size_t n);

/// Bytes of memory that this machine could still give.
int64_t available_memory();

}  // namespace motley::test
