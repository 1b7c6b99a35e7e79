// SPDX-License-Identifier: Apache-2.0
#include "ops/profile.h"

#include <iomanip>
#include <limits>
#include <sstream>

#include "api/guard.h"
#include "models/layers.h"
#include "ops/peaks.h"

using namespace motley;
using namespace motley::api;

namespace {

// Ops and shapes hold nothing that JSON would have escaped.
std::string json(const ops::Profile& profile) {
  std::ostringstream out;
  out << std::setprecision(std::numeric_limits<double>::max_digits10) << "{\"seconds\":" << profile.seconds << ",\"ops\":[";
  const char* separator = "";
  for (const ops::ProfileEntry& e : profile.entries) {
    out << separator << "{\"op\":\"" << e.op << "\",\"shape\":\"" << e.shape << "\",\"calls\":" << e.calls << ",\"seconds\":" << e.seconds
        << ",\"flops\":" << e.flops << ",\"bytes\":" << e.bytes << "}";
    separator = ",";
  }
  out << "]}";
  return out.str();
}

}  // namespace

void motley_profile_start(void) noexcept { ops::start_profile(); }
void motley_profile_stop(void) noexcept { ops::stop_profile(); }

motley_status motley_profile_json(char* buffer, int64_t capacity, motley_error* error) noexcept {
  return guarded(error, [&] { write_text(json(ops::profile()), buffer, capacity); });
}

motley_status motley_measure_peaks(int32_t precision, motley_peaks* peaks, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("peaks", peaks);
    const ops::Peaks measured = ops::measure_peaks(activations_in("peaks", precision));
    *peaks = {measured.multiply_add, measured.product, measured.copy};
  });
}
