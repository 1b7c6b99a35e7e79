// SPDX-License-Identifier: Apache-2.0
#include "libtorch/symbols.h"

#include <dlfcn.h>

#include <atomic>
#include <mutex>

#include "libtorch/error.h"

namespace motley::libtorch {
namespace {

constexpr const char* kLibrary = "libtorch_cpu.so";
constexpr const char* kNeeded = "libtorch >= 2.10";

struct State {
  std::mutex mutex;
  std::string directory;
  Symbols symbols{};
  void (*omp_set_num_threads)(int) = nullptr;
  std::atomic<bool> loaded{false};
  std::atomic<int> threads{0};
};

State& state() {
  static State instance;
  return instance;
}

template <typename Function>
void resolve(void* library, const std::string& path, const char* name, Function*& out) {
  out = reinterpret_cast<Function*>(dlsym(library, name));
  if (out == nullptr) {
    throw Error(MOTLEY_UNAVAILABLE, concat("symbol ", name, " is missing from ", path, "; ", kNeeded, " is needed"));
  }
}

Symbols resolve_all(void* library, const std::string& path) {
  Symbols s{};
#define MOTLEY_RESOLVE(name) resolve(library, path, #name, s.name)
  MOTLEY_RESOLVE(torch_call_dispatcher);
  MOTLEY_RESOLVE(torch_new_list_reserve_size);
  MOTLEY_RESOLVE(torch_list_push_back);
  MOTLEY_RESOLVE(torch_new_string_handle);
  MOTLEY_RESOLVE(torch_parallel_for);
  MOTLEY_RESOLVE(torch_get_num_threads);
  MOTLEY_RESOLVE(aoti_torch_abi_version);
  MOTLEY_RESOLVE(aoti_torch_delete_tensor_object);
  MOTLEY_RESOLVE(aoti_torch_create_tensor_from_blob_v2);
  MOTLEY_RESOLVE(aoti_torch_get_data_ptr);
  MOTLEY_RESOLVE(aoti_torch_is_defined);
  MOTLEY_RESOLVE(aoti_torch_get_dim);
  MOTLEY_RESOLVE(aoti_torch_get_sizes);
  MOTLEY_RESOLVE(aoti_torch_get_strides);
  MOTLEY_RESOLVE(aoti_torch_get_dtype);
  MOTLEY_RESOLVE(aoti_torch_device_type_cpu);
  MOTLEY_RESOLVE(aoti_torch_layout_strided);
  MOTLEY_RESOLVE(aoti_torch_dtype_float32);
  MOTLEY_RESOLVE(aoti_torch_dtype_bfloat16);
  MOTLEY_RESOLVE(aoti_torch_dtype_float16);
  MOTLEY_RESOLVE(aoti_torch_dtype_float64);
  MOTLEY_RESOLVE(aoti_torch_dtype_uint8);
  MOTLEY_RESOLVE(aoti_torch_dtype_int64);
#undef MOTLEY_RESOLVE
  return s;
}

// The folder's other libraries first: a run path inside libtorch may point where it was built.
void open_dependencies(const std::string& directory) {
  for (const char* name : {"libgomp.so.1", "libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0", "libc10.so"}) {
    dlopen((directory + "/" + name).c_str(), RTLD_NOW | RTLD_GLOBAL);  // absent ones are libtorch's to miss
  }
}

}  // namespace

void load(const std::string& directory) {
  State& s = state();
  std::lock_guard lock(s.mutex);
  if (s.loaded) {
    require(directory == s.directory, "libtorch is already loaded from ", s.directory, "; it cannot be loaded again from ", directory);
    return;
  }
  const std::string path = directory + "/" + kLibrary;
  open_dependencies(directory);
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) {
    throw Error(MOTLEY_UNAVAILABLE, concat("cannot load ", path, ": ", dlerror()));
  }
  s.symbols = resolve_all(library, path);
  const uint64_t abi = s.symbols.aoti_torch_abi_version();
  if ((abi >> 56) < 2 || ((abi >> 56) == 2 && ((abi >> 48) & 0xff) < 10)) {
    throw Error(MOTLEY_UNAVAILABLE, concat(path, " has ABI ", abi >> 56, ".", (abi >> 48) & 0xff, "; ", kNeeded, " is needed"));
  }
  s.omp_set_num_threads = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  uint32_t threads = 1;
  s.symbols.torch_get_num_threads(&threads);
  s.threads = static_cast<int>(threads);
  s.directory = directory;
  s.loaded = true;
}

bool loaded() { return state().loaded; }

const Symbols& symbols() {
  if (!state().loaded) {
    throw Error(MOTLEY_UNAVAILABLE, "libtorch is not loaded: call motley_runtime_initialize first");
  }
  return state().symbols;
}

std::string version() {
  const uint64_t abi = symbols().aoti_torch_abi_version();
  return concat(abi >> 56, ".", (abi >> 48) & 0xff, ".", (abi >> 40) & 0xff);
}

void set_threads(int threads) {
  require(threads >= 1, "threads must be at least 1, got ", threads);
  State& s = state();
  s.threads = threads;
  if (s.omp_set_num_threads != nullptr) s.omp_set_num_threads(threads);
}

int threads() { return state().threads; }

void apply_thread_count() {
  const State& s = state();
  thread_local int applied = 0;
  const int wanted = s.threads;
  if (applied == wanted || s.omp_set_num_threads == nullptr) return;
  uint32_t own = 0;
  s.symbols.torch_get_num_threads(&own);  // libtorch's own set-up of this thread, which would undo ours later
  s.omp_set_num_threads(wanted);
  applied = wanted;
}

}  // namespace motley::libtorch
