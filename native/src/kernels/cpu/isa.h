// SPDX-License-Identifier: Apache-2.0
// Which instruction set the kernels use. A kernel family `foo` is
//   foo.h         what it computes, shapes, and one struct of function pointers, FooKernels
//   foo.simd.cpp  plain loops over Vec (vec.h), compiled once per instruction set (cmake/MotleySimd.cmake) into
//                 namespace kernels::MOTLEY_ISA (scalar, avx2, avx512), ending in `const FooKernels& foo_kernels()`
//   foo.cpp       what needs no vectors, the choice by isa() (MOTLEY_CHOOSE) and, where a test needs one, a scalar
//                 float64 reference (namespace kernels::reference)
#pragma once

namespace motley::kernels {

/// Each holds those before it. The last two are avx512 with units that multiply pairs of bf16 (pairs.h).
enum class Isa { scalar = 1, avx2 = 2, avx512 = 3, avx512_bf16 = 4, amx = 5 };
constexpr Isa kAnyIsa = Isa::amx;

/// Best set of this CPU (CPUID, with the operating system's consent).
Isa best_isa();
/// The set in use: the best one, or what limit_isa allows.
Isa isa();
void limit_isa(Isa most);
const char* name_of(Isa isa);

/// Brand string and features as CPUID tells them, for `info` and for results files.
const char* cpu_brand();

}  // namespace motley::kernels

/// Picks `family`_kernels of the set in use; for foo.cpp files.
#define MOTLEY_CHOOSE(family, Kernels)                     \
  namespace scalar {                                       \
  const Kernels& family##_kernels();                       \
  }                                                        \
  namespace avx2 {                                         \
  const Kernels& family##_kernels();                       \
  }                                                        \
  namespace avx512 {                                       \
  const Kernels& family##_kernels();                       \
  }                                                        \
  const Kernels& family##_kernels() {                      \
    switch (isa()) {                                       \
      case Isa::amx:                                       \
      case Isa::avx512_bf16:                               \
      case Isa::avx512: return avx512::family##_kernels(); \
      case Isa::avx2: return avx2::family##_kernels();     \
      case Isa::scalar: break;                             \
    }                                                      \
    return scalar::family##_kernels();                     \
  }
