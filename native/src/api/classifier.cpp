// SPDX-License-Identifier: Apache-2.0
#include "api/classifier.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "api/guard.h"
#include "api/weights.h"
#include "models/layout.h"
#include "trainer/evaluate.h"

namespace motley::api {

namespace {

constexpr int64_t kMaxClasses = 1 << 20, kMaxBatch = 1 << 20;

Pass pass_of(int32_t batchnorm, uint64_t seed) {
  switch (batchnorm) {
    case MOTLEY_BATCHNORM_RUNNING: return Pass::running();
    case MOTLEY_BATCHNORM_BATCH: return {ops::Statistics::batch};
    case MOTLEY_BATCHNORM_TRAIN: return {ops::Statistics::batch, ops::Randomness{seed, 0}};
    default:
      throw Error(MOTLEY_INVALID_ARGUMENT, concat("unknown batchnorm mode ", batchnorm, ": expected 0 (running), 1 (batch) or 2 (train)"));
  }
}

std::optional<double> rate_of(const char* name, double value) {
  require(value < 1, name, " must be below 1, got ", value);  // NaN, too, is refused
  return value < 0 ? std::nullopt : std::optional(value);
}

ClassifierConfig config_of(const motley_classifier_config& c) {
  check_pointer("architecture", c.architecture);
  require(c.classes >= 1 && c.classes <= kMaxClasses, "classes must be in [1, ", kMaxClasses, "], got ", c.classes);
  require(c.image_size >= 1 && c.image_size <= kMaxImageSize, "image_size must be in [1, ", kMaxImageSize, "], got ", c.image_size);
  require(c.precision != MOTLEY_PRECISION_FP16, "precision fp16 is for diffusion models: classifiers compute in fp32 or bf16");
  require(c.precision == MOTLEY_PRECISION_FP32 || c.precision == MOTLEY_PRECISION_BF16, "unknown precision ", c.precision,
          ": expected 0 (fp32) or 1 (bf16)");
  require(c.stem == MOTLEY_STEM_IMAGENET || c.stem == MOTLEY_STEM_CIFAR, "unknown stem ", c.stem, ": expected 0 (imagenet) or 1 (cifar)");
  return {c.architecture,
          c.classes,
          c.image_size,
          c.precision == MOTLEY_PRECISION_BF16 ? DType::bf16 : DType::f32,
          c.stem == MOTLEY_STEM_CIFAR ? Stem::cifar : Stem::imagenet,
          rate_of("dropout", c.dropout),
          rate_of("stochastic_depth", c.stochastic_depth)};
}

size_t checked_index(const Classifier& model, int64_t index) {
  const auto count = static_cast<int64_t>(model.tensors().size());
  require(index >= 0 && index < count, "tensor index ", index, " is outside [0, ", count, ")");
  return static_cast<size_t>(index);
}

}  // namespace

void check_normalisation(const motley_normalisation& normalisation) {
  for (int c = 0; c < 3; ++c) {
    require(std::isfinite(normalisation.mean[c]), "normalisation mean[", c, "] is not finite");
    require(std::isfinite(normalisation.std[c]) && normalisation.std[c] > 0, "normalisation std[", c, "] must be above 0, got ",
            normalisation.std[c]);
  }
}

Tensor inputs_of(const Classifier& classifier, int64_t n, const float* inputs) {
  const int64_t size = classifier.config().image_size;
  require(n >= 1 && n <= kMaxBatch, "the number of inputs must be in [1, ", kMaxBatch, "], got ", n);
  Tensor x = Tensor::empty({n, size, size, 3});
  to_channels_last({n, 3, size, size}, inputs, x.data<float>());
  return x;
}

}  // namespace motley::api

using namespace motley;
using namespace motley::api;

motley_status motley_images_create(int64_t n, int64_t height, int64_t width, const uint8_t* pixels, const int32_t* labels,
                                   motley_images** out, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("out", out);
    check_pointer("pixels", pixels);
    check_pointer("labels", labels);
    require(n >= 1 && n <= std::numeric_limits<int32_t>::max(), "the number of images must be in [1, 2^31), got ", n);
    require(height >= 1 && height <= kMaxImageSize && width >= 1 && width <= kMaxImageSize, "images of ", height, " x ", width,
            ": expected sizes in [1, ", kMaxImageSize, "]");
    auto images = std::make_unique<motley_images>();
    images->images = {n, height, width, pixels, {labels, labels + n}};
    *out = images.release();
  });
}

void motley_images_destroy(motley_images* images) noexcept { delete images; }

motley_status motley_classifier_check(const motley_classifier_config* config, int64_t* least_batch, motley_error* error) noexcept {
  return guarded(error, [&] {
    const auto& c = checked(config, "motley_classifier_config");
    check_pointer("least_batch", least_batch);
    *least_batch = make_classifier(config_of(c))->least_batch();
  });
}

motley_status motley_classifier_create(const motley_classifier_config* config, const motley_weights* weights, motley_classifier** out,
                                       motley_error* error) noexcept {
  return guarded(error, [&] {
    const auto& c = checked(config, "motley_classifier_config");
    check_pointer("out", out);
    auto classifier = std::make_unique<motley_classifier>();
    classifier->model = make_classifier(config_of(c));
    classifier->seed = c.seed;
    if (weights != nullptr) {
      classifier->model->load(weights->tensors);
    } else {
      classifier->model->initialise(c.seed);
    }
    *out = classifier.release();
  });
}

void motley_classifier_destroy(motley_classifier* classifier) noexcept { delete classifier; }

motley_status motley_classifier_tensors(const motley_classifier* classifier, int64_t* count, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("classifier", classifier);
    check_pointer("count", count);
    *count = static_cast<int64_t>(classifier->model->tensors().size());
  });
}

motley_status motley_classifier_tensor(const motley_classifier* classifier, int64_t index, motley_tensor_info* info,
                                       motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("classifier", classifier);
    check_pointer("info", info);
    const ClassifierTensor& t = classifier->model->tensors()[checked_index(*classifier->model, index)];
    motley_tensor_info result{};
    result.name = t.name.c_str();
    result.dtype = static_cast<int32_t>(t.value.dtype());
    result.dims = static_cast<int32_t>(t.shape.size());
    result.trainable = t.trainable ? 1 : 0;
    result.head = t.head ? 1 : 0;
    std::copy(t.shape.begin(), t.shape.end(), result.shape);
    *info = result;
  });
}

motley_status motley_classifier_read(const motley_classifier* classifier, int64_t index, float* values, int64_t count,
                                     motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("classifier", classifier);
    check_pointer("values", values);
    const size_t i = checked_index(*classifier->model, index);
    const ClassifierTensor& t = classifier->model->tensors()[i];
    require(count == t.value.numel(), t.name, " ", shown(t.shape), " has ", t.value.numel(), " elements, the buffer holds ", count);
    classifier->model->read(i, values);
  });
}

motley_status motley_classifier_graph(motley_classifier* classifier, char* buffer, int64_t capacity, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("classifier", classifier);
    write_text(graph_of(*classifier->model), buffer, capacity);
  });
}

motley_status motley_classifier_forward(motley_classifier* classifier, int64_t n, const float* inputs, int32_t batchnorm, float* logits,
                                        motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("classifier", classifier);
    check_pointer("inputs", inputs);
    check_pointer("logits", logits);
    const Pass pass = pass_of(batchnorm, classifier->seed);
    const Tensor y = classifier->model->forward(inputs_of(*classifier->model, n, inputs), pass);
    std::memcpy(logits, y.raw(), static_cast<size_t>(y.bytes()));
  });
}

motley_status motley_classifier_evaluate(motley_classifier* classifier, const motley_images* images, int64_t first, int64_t n,
                                         int64_t batch, int32_t batchnorm, int32_t resize, const motley_normalisation* normalisation,
                                         float* logits, motley_progress_fn progress, void* user, motley_error* error) noexcept {
  return guarded(error, [&] {
    check_pointer("classifier", classifier);
    check_pointer("images", images);
    check_pointer("normalisation", normalisation);
    check_pointer("logits", logits);
    const Images& set = images->images;
    const int64_t size = classifier->model->config().image_size;
    require(first >= 0 && n >= 1 && first <= set.n - n, "images [", first, ", ", first + n, ") of a set of ", set.n);
    require(batch >= 1, "batch must be at least 1, got ", batch);
    require(resize == 0 ? set.height == size && set.width == size : resize >= size && resize <= kMaxImageSize, "images of ", set.height,
            " x ", set.width, resize == 0 ? "" : concat(" resized to ", resize), " for a classifier of ", size, " x ", size,
            ": resize them first");
    check_normalisation(*normalisation);
    evaluate(*classifier->model, set, resize, first, n, batch, pass_of(batchnorm, classifier->seed), normalisation->mean,
             normalisation->std, logits, [&](int64_t done, int64_t total) {
               const motley_progress report{done, total, 0, 0};
               return progress != nullptr && progress(user, &report) != 0;
             });
  });
}
