// SPDX-License-Identifier: Apache-2.0
// The makers of the classifiers; one file each.
#pragma once

#include <memory>

#include "models/classifier.h"

namespace motley {

std::unique_ptr<Classifier> make_convnext_base(const ClassifierConfig& config);
std::unique_ptr<Classifier> make_convnext_small(const ClassifierConfig& config);
std::unique_ptr<Classifier> make_resnet20(const ClassifierConfig& config);
std::unique_ptr<Classifier> make_resnet56(const ClassifierConfig& config);
std::unique_ptr<Classifier> make_resnet50(const ClassifierConfig& config);
std::unique_ptr<Classifier> make_resnet101(const ClassifierConfig& config);
std::unique_ptr<Classifier> make_mobilenet_v3_small(const ClassifierConfig& config);
std::unique_ptr<Classifier> make_vit_b(const ClassifierConfig& config);     // patches of 16
std::unique_ptr<Classifier> make_vit_b_p4(const ClassifierConfig& config);  // patches of 4
std::unique_ptr<Classifier> make_vit_s(const ClassifierConfig& config);     // patches of 16

}  // namespace motley
