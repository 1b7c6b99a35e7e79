// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/isa.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace motley::kernels {
namespace {

struct Cpu {
  Isa best = Isa::scalar;
  char brand[49] = "unknown CPU";
};

// Linux gives a process the tile registers once it asks for them.
bool tiles_granted() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

Cpu detect() {
  Cpu cpu;
  __builtin_cpu_init();  // GCC's checks include the operating system's saving of the registers
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) cpu.best = Isa::avx2;
  if (cpu.best == Isa::avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    cpu.best = Isa::avx512;
  }
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (cpu.best == Isa::avx512 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 5))) cpu.best = Isa::avx512_bf16;
  constexpr unsigned kAmx = 1u << 22 | 1u << 24;  // AMX-BF16, AMX-TILE
  if (cpu.best == Isa::avx512_bf16 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & kAmx) == kAmx && tiles_granted()) cpu.best = Isa::amx;
  for (unsigned leaf = 0; leaf < 3; ++leaf) {
    unsigned r[4] = {};
    if (!__get_cpuid(0x80000002u + leaf, &r[0], &r[1], &r[2], &r[3])) return cpu;
    std::memcpy(cpu.brand + 16 * leaf, r, 16);
  }
  cpu.brand[48] = 0;
  return cpu;
}

const Cpu& cpu() {
  static const Cpu instance = detect();
  return instance;
}

std::atomic<int> limit{static_cast<int>(kAnyIsa)};

}  // namespace

Isa best_isa() { return cpu().best; }
Isa isa() { return static_cast<Isa>(std::min(static_cast<int>(best_isa()), limit.load(std::memory_order_relaxed))); }
void limit_isa(Isa most) { limit = static_cast<int>(most); }

const char* name_of(Isa isa) {
  switch (isa) {
    case Isa::scalar: return "scalar";
    case Isa::avx2: return "avx2";
    case Isa::avx512: return "avx512";
    case Isa::avx512_bf16: return "avx512_bf16";
    case Isa::amx: return "amx";
  }
  return "unknown";
}

const char* cpu_brand() { return cpu().brand; }

}  // namespace motley::kernels
