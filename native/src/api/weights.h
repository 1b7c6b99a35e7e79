// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/parameters.h"

struct motley_weights {
  motley::NamedTensors tensors;
};
