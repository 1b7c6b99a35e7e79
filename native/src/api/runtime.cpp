// SPDX-License-Identifier: Apache-2.0
#include "api/guard.h"
#include "kernels/cpu/isa.h"
#include "libtorch/memory.h"
#include "libtorch/symbols.h"
#include "models/classifier.h"

namespace motley::api {
namespace {

void choose_isa(int32_t isa) {
  require(isa >= MOTLEY_ISA_AUTO && isa <= MOTLEY_ISA_AMX, "unknown instruction set ", isa, ": expected 0 to ", MOTLEY_ISA_AMX);
  kernels::limit_isa(isa == MOTLEY_ISA_AUTO ? kernels::kAnyIsa : static_cast<kernels::Isa>(isa));
}

std::string describe() {
  std::string cpu = kernels::cpu_brand();
  while (!cpu.empty() && cpu.back() == ' ') cpu.pop_back();
  for (char& c : cpu) {
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  std::string networks;
  for (const std::string& name : architectures()) networks += concat(networks.empty() ? "\"" : ",\"", name, "\"");
  return concat("{\"api\":", MOTLEY_API_VERSION, ",\"libtorch\":\"", libtorch::version(), "\",\"isa\":\"", kernels::name_of(kernels::isa()),
                "\",\"cpu\":\"", cpu, "\",\"features\":\"", kernels::name_of(kernels::best_isa()), "\",\"threads\":", libtorch::threads(),
                ",\"architectures\":[", networks, "],\"cuda\":\"absent: this build has no CUDA library\"}");
}

}  // namespace
}  // namespace motley::api

using namespace motley;
using namespace motley::api;

int32_t motley_api_version(void) noexcept { return MOTLEY_API_VERSION; }

motley_status motley_runtime_initialize(const motley_runtime_params* params, motley_error* error) noexcept {
  return guarded(error, [&] {
    const auto& p = checked(params, "motley_runtime_params");
    check_pointer("libtorch_dir", p.libtorch_dir);
    require(p.threads >= 0, "threads must not be negative, got ", p.threads);
    const bool first = !libtorch::loaded();
    libtorch::load(p.libtorch_dir);
    if (!first) return;
    choose_isa(p.max_isa);
    if (p.threads > 0) libtorch::set_threads(p.threads);
  });
}

motley_status motley_runtime_configure(int32_t threads, int32_t max_isa, motley_error* error) noexcept {
  return guarded(error, [&] {
    require(threads >= 1, "threads must be at least 1, got ", threads);
    choose_isa(max_isa);
    libtorch::set_threads(threads);
  });
}

motley_status motley_runtime_describe(char* buffer, int64_t capacity, motley_error* error) noexcept {
  return guarded(error, [&] { write_text(describe(), buffer, capacity); });
}

int64_t motley_live_bytes(void) noexcept { return memory::live_bytes(); }
int64_t motley_pooled_bytes(void) noexcept { return memory::pooled_bytes(); }
void motley_trim(void) noexcept { memory::trim(); }
