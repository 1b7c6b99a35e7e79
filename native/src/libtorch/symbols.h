// SPDX-License-Identifier: Apache-2.0
// libtorch's stable C ABI, resolved by name once. Prototypes as in torch/csrc/stable/c/shim.h and
// torch/csrc/inductor/aoti_torch/c/shim.h; no libtorch header is used, so any libtorch >= 2.10 serves.
#pragma once

#include <cstdint>
#include <string>

namespace motley::libtorch {

using TensorHandle = struct OpaqueTensor*;  // an at::Tensor*
using ListHandle = struct OpaqueList*;
using StringHandle = struct OpaqueString*;
using Status = int32_t;  // 0: ok

struct Symbols {
  Status (*torch_call_dispatcher)(const char* op, const char* overload, uint64_t* stack, uint64_t version);
  Status (*torch_new_list_reserve_size)(size_t size, ListHandle* out);
  Status (*torch_list_push_back)(ListHandle list, uint64_t element);
  Status (*torch_new_string_handle)(const char* data, size_t length, StringHandle* out);
  Status (*torch_parallel_for)(int64_t begin, int64_t end, int64_t grain, void (*body)(int64_t, int64_t, void*), void* context);
  Status (*torch_get_num_threads)(uint32_t* out);
  uint64_t (*aoti_torch_abi_version)();
  Status (*aoti_torch_delete_tensor_object)(TensorHandle tensor);
  Status (*aoti_torch_create_tensor_from_blob_v2)(void* data, int64_t dims, const int64_t* sizes, const int64_t* strides, int64_t offset,
                                                  int32_t dtype, int32_t device_type, int32_t device_index, TensorHandle* out,
                                                  int32_t layout, const uint8_t* metadata, int64_t metadata_size);
  Status (*aoti_torch_get_data_ptr)(TensorHandle tensor, void** out);
  Status (*aoti_torch_is_defined)(TensorHandle tensor, bool* out);
  Status (*aoti_torch_get_dim)(TensorHandle tensor, int64_t* out);
  Status (*aoti_torch_get_sizes)(TensorHandle tensor, int64_t** out);
  Status (*aoti_torch_get_strides)(TensorHandle tensor, int64_t** out);
  Status (*aoti_torch_get_dtype)(TensorHandle tensor, int32_t* out);
  int32_t (*aoti_torch_device_type_cpu)();
  int32_t (*aoti_torch_layout_strided)();
  int32_t (*aoti_torch_dtype_float32)();
  int32_t (*aoti_torch_dtype_bfloat16)();
  int32_t (*aoti_torch_dtype_float16)();
  int32_t (*aoti_torch_dtype_float64)();
  int32_t (*aoti_torch_dtype_uint8)();
  int32_t (*aoti_torch_dtype_int64)();
};

/// Opens libtorch_cpu in `directory` and resolves every symbol. Throws Error(UNAVAILABLE) naming the
/// symbol, the library and the version needed. A second call with the same folder does nothing.
void load(const std::string& directory);

/// Whether load has succeeded.
bool loaded();

/// The resolved table; throws Error(UNAVAILABLE) before load.
const Symbols& symbols();

/// "major.minor.patch" of the loaded library's ABI.
std::string version();

/// Limits libtorch's (OpenMP's) threads for regions started from now on.
void set_threads(int threads);
int threads();

/// Tells OpenMP, which keeps its thread count per host thread, before the first region of the calling one.
void apply_thread_count();

}  // namespace motley::libtorch
