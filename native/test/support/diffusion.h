// SPDX-License-Identifier: Apache-2.0
// Test support: the C ABI's configs from the diffusers configs that the goldens record.
#pragma once

#include "motley.h"
#include "support/golden.h"

namespace motley::test {

motley_text_config text_config(const Json& config);
motley_vision_config vision_config(const Json& config);
motley_unet_config unet_config(const Json& config);
motley_vae_config vae_config(const Json& config);
/// The paper's DDIM: scaled_linear 0.00085 to 0.012, offset 1.
motley_ddim_config ddim_config();

}  // namespace motley::test
