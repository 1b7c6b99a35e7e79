// SPDX-License-Identifier: Apache-2.0
// Test support: handles of the C ABI that own their models, made from filled weights.
#pragma once

#include <doctest/doctest.h>

#include <memory>

#include "api/weights.h"
#include "support/diffusion.h"
#include "support/golden.h"

namespace motley::test {

struct Destroy {
  void operator()(motley_text* h) const { motley_text_destroy(h); }
  void operator()(motley_vision* h) const { motley_vision_destroy(h); }
  void operator()(motley_unet* h) const { motley_unet_destroy(h); }
  void operator()(motley_vae* h) const { motley_vae_destroy(h); }
  void operator()(motley_prompts* h) const { motley_prompts_destroy(h); }
};
template <typename T>
using Handle = std::unique_ptr<T, Destroy>;

/// Fails the test with the library's message.
inline void ok(motley_status status, const motley_error& error) {
  INFO(error.message);
  REQUIRE(status == MOTLEY_OK);
}

inline Handle<motley_text> make_text(const Golden& g, int32_t precision = MOTLEY_PRECISION_FP32) {
  const FilledWeights filled(g.meta()["state_dict"], "text_encoder.");
  const motley_weights weights{filled.tensors()};
  motley_text_config c = text_config(g.meta()["config"]);
  c.precision = precision;
  motley_text* out = nullptr;
  motley_error e;
  ok(motley_text_create(&c, &weights, &out, &e), e);
  return Handle<motley_text>(out);
}

inline Handle<motley_vision> make_vision(const Golden& g, int32_t precision = MOTLEY_PRECISION_FP32) {
  const FilledWeights filled(g.meta()["state_dict"], "clip_vision.");
  const motley_weights weights{filled.tensors()};
  motley_vision_config c = vision_config(g.meta()["config"]);
  c.precision = precision;
  motley_vision* out = nullptr;
  motley_error e;
  ok(motley_vision_create(&c, &weights, &out, &e), e);
  return Handle<motley_vision>(out);
}

inline Handle<motley_unet> make_unet(const Golden& g, int32_t precision = MOTLEY_PRECISION_FP32) {
  const FilledWeights filled(g.meta()["state_dict"], "unet.");
  const motley_weights weights{filled.tensors()};
  motley_unet_config c = unet_config(g.meta()["config"]);
  c.precision = precision;
  motley_unet* out = nullptr;
  motley_error e;
  ok(motley_unet_create(&c, &weights, &out, &e), e);
  return Handle<motley_unet>(out);
}

inline Handle<motley_vae> make_vae(const Golden& g, int32_t precision = MOTLEY_PRECISION_FP32) {
  const FilledWeights filled(g.meta()["state_dict"], "vae.");
  const motley_weights weights{filled.tensors()};
  motley_vae_config c = vae_config(g.meta()["config"]);
  c.precision = precision;
  motley_vae* out = nullptr;
  motley_error e;
  ok(motley_vae_create(&c, &weights, &out, &e), e);
  return Handle<motley_vae>(out);
}

}  // namespace motley::test
