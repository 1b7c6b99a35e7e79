// SPDX-License-Identifier: Apache-2.0
#include "support/golden.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "libtorch/convert.h"
#include "libtorch/parallel.h"

namespace motley::test {
namespace {

constexpr int64_t kGrain = 1 << 15;  // elements worth a thread's start

// u(i) of the fill rule, in [0, 1) with 24 bits
std::vector<double> uniforms(const std::string& name, int64_t n) {
  constexpr uint64_t kGamma = 0x9E3779B97F4A7C15ull;
  uint64_t seed = 0xCBF29CE484222325ull;
  for (unsigned char byte : name) seed = (seed ^ byte) * 0x100000001B3ull;
  std::vector<double> u(static_cast<size_t>(n));
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      uint64_t z = seed + (i + 1) * kGamma;
      z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
      z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
      z ^= z >> 31;
      u[i] = static_cast<double>(z >> 40) * 0x1p-24;
    }
  });
  return u;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  require(in.good(), "cannot read golden ", path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}
  Json document() {
    Json value = parse();
    require(peek() == 0, "JSON: text after the value at ", at_);
    return value;
  }

 private:
  char peek() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) != nullptr) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void expect(char c) {
    require(peek() == c, "JSON: '", c, "' expected at ", at_);
    ++at_;
  }
  bool word(const char* w) {
    if (text_.compare(at_, std::strlen(w), w) != 0) return false;
    at_ += std::strlen(w);
    return true;
  }
  Json parse() {
    Json v;
    const char c = peek();
    if (c == '{') return object();
    if (c == '[') return array();
    if (c == '"') {
      v.kind = Json::Kind::text;
      v.text = string();
    } else if (word("true") || word("false")) {
      v.kind = Json::Kind::boolean;
      v.number = text_[at_ - 2] == 'u' ? 1 : 0;
    } else if (word("null")) {
    } else {
      v.kind = Json::Kind::number;
      const char* begin = text_.c_str() + at_;
      char* end = nullptr;
      v.number = std::strtod(begin, &end);
      require(end != begin, "JSON: a value expected at ", at_);
      at_ += static_cast<size_t>(end - begin);
    }
    return v;
  }
  Json object() {
    Json v;
    v.kind = Json::Kind::object;
    expect('{');
    if (peek() == '}') return ++at_, v;
    do {
      peek();
      std::string key = string();
      expect(':');
      v.members.emplace_back(std::move(key), parse());
    } while (peek() == ',' && ++at_);
    expect('}');
    return v;
  }
  Json array() {
    Json v;
    v.kind = Json::Kind::array;
    expect('[');
    if (peek() == ']') return ++at_, v;
    do v.items.push_back(parse());
    while (peek() == ',' && ++at_);
    expect(']');
    return v;
  }
  std::string string() {
    expect('"');
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      char c = text_[at_++];
      if (c == '\\') {
        c = text_.at(at_++);
        require(c != 'u', "JSON: \\u escapes are not read here");
        c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
      }
      out += c;
    }
    expect('"');
    return out;
  }

  const std::string& text_;
  size_t at_ = 0;
};

Shape shape_of(const Json& array) {
  Shape shape;
  for (const Json& size : array.items) shape.push_back(static_cast<int64_t>(size.number));
  return shape;
}

}  // namespace

std::vector<float> fill(const std::string& name, const Shape& shape) {
  const auto u = uniforms(name, elements(shape));
  int64_t fan_in = 1;
  for (size_t d = 1; d < shape.size(); ++d) fan_in *= shape[d];
  const double scale = std::sqrt(3.0 / static_cast<double>(fan_in));
  const bool variance = ends_with(name, "running_var"), weight = shape.size() == 1 && ends_with(name, "weight");
  std::vector<float> out(u.size());
  parallel_for(static_cast<int64_t>(u.size()), kGrain, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      const double v = 2 * u[i] - 1, x = variance ? 1 + 0.5 * u[i] : shape.size() >= 2 ? v * scale : weight ? 1 + 0.1 * v : 0.05 * v;
      out[i] = static_cast<float>(x);
    }
  });
  return out;
}

std::vector<float> fill_input(const std::string& name, const Shape& shape, double scale) {
  const auto u = uniforms(name, elements(shape));
  std::vector<float> out(u.size());
  for (size_t i = 0; i < u.size(); ++i) out[i] = static_cast<float>((2 * u[i] - 1) * scale);
  return out;
}

bool Json::has(const std::string& key) const {
  for (const auto& [name, value] : members) {
    if (name == key) return true;
  }
  return false;
}

const Json& Json::operator[](const std::string& key) const {
  for (const auto& [name, value] : members) {
    if (name == key) return value;
  }
  throw Error(MOTLEY_INVALID_ARGUMENT, concat("JSON: no member ", key));
}

Json parse_json(const std::string& text) { return Parser(text).document(); }

Golden::Golden(const std::string& name, const std::string& directory) : meta_(parse_json(read_file(directory + "/" + name + ".json"))) {
  const std::string file = read_file(directory + "/" + name + ".safetensors");
  uint64_t header = 0;
  require(file.size() >= 8, name, ".safetensors is too short");
  std::memcpy(&header, file.data(), 8);
  require(header <= file.size() - 8, name, ".safetensors: header of ", header, " bytes");
  const Json index = parse_json(file.substr(8, header));
  for (const auto& [key, value] : index.members) {
    if (key == "__metadata__") continue;
    const auto begin = static_cast<size_t>(value["data_offsets"][0].number);
    Entry entry{shape_of(value["shape"]), {}};
    entry.values.resize(static_cast<size_t>(elements(entry.shape)));
    const char* data = file.data() + 8 + header + begin;
    const bool wide = value["dtype"].text == "F64";
    require(wide || value["dtype"].text == "F32", name, ": ", key, " has type ", value["dtype"].text);
    for (size_t i = 0; i < entry.values.size(); ++i) {
      double x = 0;
      if (wide) std::memcpy(&x, data + 8 * i, 8);
      if (wide) entry.values[i] = static_cast<float>(x);
      if (!wide) std::memcpy(&entry.values[i], data + 4 * i, 4);
    }
    tensors_.emplace(key, std::move(entry));
  }
}

const std::vector<float>& Golden::values(const std::string& tensor) const { return tensors_.at(tensor).values; }
const Shape& Golden::shape(const std::string& tensor) const { return tensors_.at(tensor).shape; }

FilledWeights::FilledWeights(const Json& shapes, const std::string& prefix) {
  for (const auto& [name, sizes] : shapes.members) {
    const Shape shape = shape_of(sizes);
    const bool counter = ends_with(name, "num_batches_tracked");  // an integer, 0 in a fresh network
    auto& values = memory_[name] = counter ? std::vector<float>{0.0f} : fill(prefix + name, shape);
    tensors_[name] = {DType::f32, shape, values.data()};
  }
}

void FilledWeights::round_to_bf16() {
  for (auto& [name, values] : memory_) {
    for (float& x : values) x = to_float(from_float<bf16>(x));
  }
}

Difference difference(const float* a, const float* b, size_t n) {
  Difference d;
  double squares = 0;
  for (size_t i = 0; i < n; ++i) {
    const double e = std::abs(static_cast<double>(a[i]) - b[i]);
    if (!(e <= d.max_abs)) d.max_abs = e;  // a NaN is kept
    squares += e * e;
  }
  d.rms = n ? std::sqrt(squares / static_cast<double>(n)) : 0;
  return d;
}

int64_t available_memory() {
  int64_t least = 0;
  std::ifstream info("/proc/meminfo");
  std::string key, unit;
  for (int64_t kibibytes = 0; info >> key >> kibibytes; std::getline(info, unit)) {
    if (key == "MemAvailable:") least = kibibytes << 10;
  }
  std::ifstream limit("/sys/fs/cgroup/memory.max"), used("/sys/fs/cgroup/memory.current");  // of a container
  int64_t most = 0, taken = 0;
  if (limit >> most && used >> taken) least = std::min(least, most - taken);  // "max" is no number
  return least;
}

}  // namespace motley::test
