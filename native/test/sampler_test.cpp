// SPDX-License-Identifier: Apache-2.0
#include "sampler/sampler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <set>

#include "kernels/cpu/sampling.h"
#include "libtorch/memory.h"
#include "support/compare.h"
#include "support/models.h"

using namespace motley;
using namespace motley::test;

namespace {

// What a run needs, for the small network of the goldens.
struct Small {
  Golden golden = Golden("unet_small");
  Handle<motley_unet> unet;
  Handle<motley_prompts> prompts;
  motley_ddim_config ddim = ddim_config();
  motley_error error;

  explicit Small(int32_t precision = MOTLEY_PRECISION_FP32) : unet(test::make_unet(golden, precision)) {
    const auto context = normals(3 * 77 * 48, 1);
    motley_prompts* out = nullptr;
    ok(motley_prompts_create(unet.get(), 3, 77, context.data(), &out, &error), error);
    prompts.reset(out);
  }
};

struct Images {
  std::vector<int32_t> prompt, negative;
  std::vector<float> guidance, eta;
  std::vector<uint64_t> seed, key;

  void add(int32_t p, float g, float e, uint64_t k) {
    prompt.push_back(p);
    negative.push_back(0);
    guidance.push_back(g);
    eta.push_back(e);
    seed.push_back(7);
    key.push_back(k);
  }
  motley_sample_params params(int32_t steps) const {
    motley_sample_params p = {};
    p.struct_size = sizeof p;
    p.batch = static_cast<int64_t>(prompt.size());
    p.height = p.width = 8;
    p.steps = steps;
    p.prompt = prompt.data();
    p.negative = negative.data();
    p.guidance = guidance.data();
    p.eta = eta.data();
    p.seed = seed.data();
    p.image_key = key.data();
    return p;
  }
};

std::vector<float> run(Small& small, const Images& images, int32_t steps = 3) {
  const motley_sample_params p = images.params(steps);
  std::vector<float> latents(static_cast<size_t>(p.batch * 4 * 64));
  ok(motley_sample(small.unet.get(), small.prompts.get(), &small.ddim, &p, latents.data(), &small.error), small.error);
  return latents;
}

}  // namespace

TEST_CASE("the DDIM schedule is diffusers'") {
  const Golden g("ddim");
  const auto config = ddim_config();
  motley_error e;
  for (int32_t steps : {1, 2, 10, 40, 50, 100}) {
    std::vector<int32_t> t(static_cast<size_t>(steps));
    std::vector<double> alpha(t.size()), previous(t.size());
    ok(motley_ddim_schedule(&config, steps, t.data(), alpha.data(), previous.data(), &e), e);
    const auto& expected = g.values("timesteps_" + std::to_string(steps));
    for (size_t i = 0; i < t.size(); ++i) {
      CHECK(t[i] == static_cast<int32_t>(expected[i]));
      CHECK(alpha[i] == doctest::Approx(g.values("alphas_cumprod")[static_cast<size_t>(t[i])]).epsilon(2e-5));  // diffusers sums in float32
    }
    CHECK(previous.back() == doctest::Approx(0.99915).epsilon(1e-6));
  }
  std::vector<int32_t> t(1000);
  std::vector<double> a(1000), p(1000);
  ok(motley_ddim_schedule(&config, 40, t.data(), a.data(), p.data(), &e), e);
  CHECK(a[0] == doctest::Approx(0.0061240082).epsilon(1e-8));
  CHECK(p[0] == doctest::Approx(0.0081550046).epsilon(1e-8));
  CHECK(motley_ddim_schedule(&config, 1000, t.data(), a.data(), p.data(), &e) == MOTLEY_INVALID_ARGUMENT);
  CHECK(std::string(e.message) == "steps must be 1 to 999, got 1000");
  motley_ddim_config shifted = config;
  shifted.steps_offset = 2;  // 499 * 2 + 2: one past the last time step
  CHECK(motley_ddim_schedule(&shifted, 500, t.data(), a.data(), p.data(), &e) == MOTLEY_INVALID_ARGUMENT);
  CHECK(std::string(e.message).find("begin at time step 1000") != std::string::npos);
}

TEST_CASE("single DDIM steps are diffusers', with and without noise") {
  const Golden g("ddim");
  const auto config = ddim_config();
  std::vector<int32_t> t(40);
  std::vector<double> alpha(40), previous(40);
  motley_error e;
  ok(motley_ddim_schedule(&config, 40, t.data(), alpha.data(), previous.data(), &e), e);
  for (int32_t at : {976, 501, 26, 1}) {
    const auto i = static_cast<size_t>(std::find(t.begin(), t.end(), at) - t.begin());
    for (double eta : {0.0, 0.5}) {
      const auto& expected = g.values((eta == 0 ? "prev_eta0_t" : "prev_eta05_t") + std::to_string(at));
      on_every_isa([&] {
        auto x = g.values("x");
        kernels::sampling_kernels().update(kernels::ddim_step(alpha[i], previous[i], eta, false), static_cast<int64_t>(x.size()), x.data(),
                                           g.values("eps").data(), nullptr, 1, eta == 0 ? nullptr : g.values("noise").data());
        CHECK(worst(x, expected) < 1e-5);
      });
    }
  }
}

TEST_CASE("the update agrees with float64, clipped or not, and mixes in the negative half") {
  const auto x0 = normals(37, 2), c = normals(37, 3), u = normals(37, 4), z = normals(37, 5);
  for (bool clip : {false, true}) {
    std::vector<double> expected;
    for (size_t i = 0; i < x0.size(); ++i) {
      expected.push_back(
          kernels::reference::ddim_update(0.3, 0.4, 0.7, clip, x0[i], u[i] + 2.5 * (static_cast<double>(c[i]) - u[i]), z[i]));
    }
    on_every_isa([&] {
      auto x = x0;
      kernels::sampling_kernels().update(kernels::ddim_step(0.3, 0.4, 0.7, clip), 37, x.data(), c.data(), u.data(), 2.5f, z.data());
      CHECK(worst(x, expected) < 1e-6);
    });
  }
}

TEST_CASE("pixels are rounded to even or cut, and odd images are flagged") {
  const float decoded[] = {-2, -1, -0.996078431f, 0, 0.00392156886f, 1, 3, 0.5f, -0.2f, 0.7f, 0.1f, NAN, INFINITY};
  const uint8_t rounded[] = {0, 0, 1, 128, 128, 255, 255, 191, 102, 217, 140};
  const uint8_t cut[] = {0, 0, 0, 127, 128, 255, 255, 191, 102, 216, 140};
  on_every_isa([&] {
    for (bool truncate : {false, true}) {
      uint8_t pixels[13];
      float units[13];
      CHECK_FALSE(kernels::sampling_kernels().quantise(13, decoded, truncate, units, pixels));
      CHECK(kernels::sampling_kernels().quantise(11, decoded, truncate, nullptr, pixels));
      for (int i = 0; i < 11; ++i) {
        if (i == 2) continue;  // half a unit below 1: either side, by the last bit
        CAPTURE(i);
        CHECK(pixels[i] == (truncate ? cut : rounded)[i]);
      }
      CHECK(std::isnan(units[11]));
      CHECK(units[12] == 1);
    }
  });
  const uint8_t flat[] = {3, 4, 5, 3, 4, 5, 3, 4, 5}, spotted[] = {3, 4, 5, 3, 4, 5, 3, 4, 6};
  CHECK(kernels::is_constant(flat, 3, 3));
  CHECK_FALSE(kernels::is_constant(spotted, 3, 3));
}

TEST_CASE("torch's generator is followed, on both of its paths") {
  const Golden g("torch_rng");
  motley_error e;
  for (uint64_t seed : {uint64_t{0}, uint64_t{64}, (uint64_t{1} << 32) + 5}) {
    const std::string name = "randn_seed" + std::to_string(seed);
    std::vector<float> large(4 * 64 * 64), small(15);
    ok(motley_noise_torch(seed, 1, 4 * 64 * 64, large.data(), &e), e);
    ok(motley_noise_torch(seed, 1, 15, small.data(), &e), e);
    std::vector<float> cut;
    for (size_t c = 0; c < 4; ++c)
      cut.insert(cut.end(), large.begin() + static_cast<int64_t>(c * 4096), large.begin() + static_cast<int64_t>(c * 4096 + 512));
    const auto& expected = g.values(name + "_4x64x64");
    CHECK(worst(cut, expected) < 2e-6);
    CHECK(small == g.values(name + "_15"));
    size_t equal = 0;
    for (size_t i = 0; i < cut.size(); ++i) equal += cut[i] == expected[i];
    MESSAGE("seed ", seed, ": ", equal, " of ", cut.size(), " equal to the last bit; largest relative difference ", worst(cut, expected));
  }
  std::vector<float> n20(20);  // the last 16 are drawn anew: the first 4 are those of any longer draw
  std::vector<float> n32(32);
  ok(motley_noise_torch(3, 1, 20, n20.data(), &e), e);
  ok(motley_noise_torch(3, 1, 32, n32.data(), &e), e);
  CHECK(std::equal(n20.begin(), n20.begin() + 4, n32.begin()));
  CHECK(motley_noise_torch(3, 0, 20, n20.data(), &e) == MOTLEY_INVALID_ARGUMENT);
  CHECK(motley_noise_torch(3, int64_t{1} << 33, 20, n20.data(), &e) == MOTLEY_INVALID_ARGUMENT);
}

TEST_CASE("Philox normals depend on seed, key, draw and position only") {
  motley_error e;
  std::vector<float> a(1000), b(10), other(10);
  ok(motley_noise_philox(1, 2, 3, 1000, a.data(), &e), e);
  ok(motley_noise_philox(1, 2, 3, 10, b.data(), &e), e);
  CHECK(std::equal(b.begin(), b.end(), a.begin()));
  const std::vector<std::array<uint64_t, 3>> names = {
      {{2, 2, 3}}, {{1, 3, 3}}, {{1, 2, 4}}, {{1 + (uint64_t{1} << 40), 2, 3}}, {{1, 2 + (uint64_t{1} << 40), 3}}};
  for (const auto& n : names) {
    ok(motley_noise_philox(n[0], n[1], n[2], 10, other.data(), &e), e);
    CHECK(other != b);
  }
  CHECK(motley_noise_philox(1, 2, uint64_t{1} << 32, 10, b.data(), &e) == MOTLEY_INVALID_ARGUMENT);
}

TEST_CASE("an image does not depend on its batch, its place in it, or the others' guidance") {
  int32_t precision = MOTLEY_PRECISION_FP32;
  SUBCASE("float32") { precision = MOTLEY_PRECISION_FP32; }
  SUBCASE("bfloat16") { precision = MOTLEY_PRECISION_BF16; }
  SUBCASE("float16") { precision = MOTLEY_PRECISION_FP16; }
  Small small(precision);
  const std::vector<std::tuple<int32_t, float, float>> kinds = {
      {1, 7.5f, 0.0f}, {2, 1.0f, 0.0f}, {1, 2.0f, 0.8f}, {2, 0.0f, 0.0f}, {1, 1.0f, 1.0f}};
  std::vector<std::vector<float>> alone;
  for (size_t i = 0; i < kinds.size(); ++i) {
    Images one;
    one.add(std::get<0>(kinds[i]), std::get<1>(kinds[i]), std::get<2>(kinds[i]), 100 + i);
    alone.push_back(run(small, one));
  }
  std::vector<size_t> order = {0, 1, 2, 3, 4};
  for (int round = 0; round < 4; ++round) {
    for (size_t batch : {size_t{2}, size_t{3}, size_t{5}}) {
      Images images;
      for (size_t i = 0; i < batch; ++i)
        images.add(std::get<0>(kinds[order[i]]), std::get<1>(kinds[order[i]]), std::get<2>(kinds[order[i]]), 100 + order[i]);
      const auto together = run(small, images);
      for (size_t i = 0; i < batch; ++i) {
        CAPTURE(batch);
        CAPTURE(order[i]);
        CHECK(std::equal(alone[order[i]].begin(), alone[order[i]].end(), together.begin() + static_cast<int64_t>(i * 256)));
      }
    }
    std::rotate(order.begin(), order.begin() + 2, order.end());
  }
}

TEST_CASE("guidance 1 is the conditional half alone, and given noise replaces drawn noise") {
  Small small;
  Images plain, guided;
  plain.add(1, 1.0f, 0.5f, 9);
  guided.add(1, 1.0f + 1e-6f, 0.5f, 9);
  const auto a = run(small, plain), b = run(small, guided);
  CHECK(worst(a, b) < 1e-4);
  std::vector<float> initial(256), noise(3 * 256);
  ok(motley_noise_philox(7, 9, 0, 256, initial.data(), &small.error), small.error);
  for (uint64_t s = 0; s < 3; ++s) ok(motley_noise_philox(7, 9, 1 + s, 256, noise.data() + s * 256, &small.error), small.error);
  motley_sample_params p = plain.params(3);
  p.latents = initial.data();
  p.noise = noise.data();
  p.seed = p.image_key = nullptr;
  std::vector<float> c(256);
  ok(motley_sample(small.unet.get(), small.prompts.get(), &small.ddim, &p, c.data(), &small.error), small.error);
  CHECK(a == c);
}

TEST_CASE("work that is saved changes nothing but rounding") {
  Small small;
  Images images;
  images.add(1, 7.5f, 0.0f, 1);
  images.add(2, 1.0f, 0.5f, 2);
  images.add(1, 2.0f, 0.0f, 3);
  const auto with = [&](int32_t as_published) {
    motley_sample_params p = images.params(4);
    p.as_published = as_published;
    std::vector<float> latents(3 * 256);
    ok(motley_sample(small.unet.get(), small.prompts.get(), &small.ddim, &p, latents.data(), &small.error), small.error);
    return latents;
  };
  const auto saved = with(0);
  float largest = 0;
  for (float v : saved) largest = std::max(largest, std::abs(v));
  for (int32_t bit : {MOTLEY_PUBLISHED_PREFIX, MOTLEY_PUBLISHED_CONTEXT, MOTLEY_PUBLISHED_TIME}) {
    CAPTURE(bit);
    CHECK(with(bit) == saved);  // the same sums, made once instead of several times
  }
  const auto upsampled = with(MOTLEY_PUBLISHED_UPSAMPLE), guided = with(MOTLEY_PUBLISHED_GUIDANCE);
  CHECK(upsampled != saved);
  CHECK(worst(upsampled, saved) < 1e-5 * static_cast<double>(largest));
  CHECK(guided != saved);
  CHECK(worst(guided, saved) < 1e-5 * static_cast<double>(largest));
}

namespace {

// The method as published, one image, by single passes of the UNet: latents after the steps from `first` on, and x0 of step `first`.
std::pair<std::vector<double>, std::vector<double>> by_hand(Small& small, int64_t h, int64_t w, const std::vector<float>& start,
                                                            int32_t steps, int32_t first, double guidance) {
  const size_t size = start.size();
  std::vector<int32_t> t(static_cast<size_t>(steps));
  std::vector<double> alpha(t.size()), previous(t.size());
  ok(motley_ddim_schedule(&small.ddim, steps, t.data(), alpha.data(), previous.data(), &small.error), small.error);
  const auto context = normals(3 * 77 * 48, 1);
  std::vector<double> x(start.begin(), start.end()), x0(size);
  for (size_t s = static_cast<size_t>(first); s < t.size(); ++s) {
    std::vector<float> eps[2];
    for (size_t half = 0; half < 2; ++half) {
      const std::vector<float> sample(x.begin(), x.end());
      const auto timestep = static_cast<float>(t[s]);
      eps[half].resize(size);
      ok(motley_unet_forward(small.unet.get(), 1, h, w, 77, sample.data(), &timestep, context.data() + half * 77 * 48, eps[half].data(),
                             &small.error),
         small.error);
    }
    for (size_t i = 0; i < size; ++i) {
      const double e = eps[0][i] + guidance * (static_cast<double>(eps[1][i]) - eps[0][i]);
      if (s == static_cast<size_t>(first)) x0[i] = (x[i] - std::sqrt(1 - alpha[s]) * e) / std::sqrt(alpha[s]);
      x[i] = kernels::reference::ddim_update(alpha[s], previous[s], 0, false, x[i], e, 0);
    }
  }
  return {x, x0};
}

double worst_part(const std::vector<float>& got, const std::vector<double>& wanted) {
  double worst = 0, largest = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    worst = std::max(worst, std::abs(got[i] - wanted[i]));
    largest = std::max(largest, std::abs(wanted[i]));
  }
  return worst / largest;
}

}  // namespace

TEST_CASE("sampling can begin from an image, at a later step, at any size, and shows what it will be") {
  Small small;
  const Golden g("ddim");
  for (auto [h, w] : {std::pair<int64_t, int64_t>{8, 8}, {5, 7}, {9, 2}, {1, 1}}) {
    CAPTURE(h);
    CAPTURE(w);
    const auto size = static_cast<size_t>(4 * h * w);
    const auto image = normals(size, 5), noise = normals(size, 6);
    Images images;
    images.add(1, 3.0f, 0.0f, 1);
    motley_sample_params p = images.params(5);
    p.height = h;
    p.width = w;
    p.first_step = 2;
    p.image = image.data();
    p.latents = noise.data();
    std::vector<float> latents(size), shown(size), first_shown;
    p.preview = shown.data();
    struct Seen {
      std::vector<float>&shown, &first;
      std::vector<int64_t> done;
    } seen{shown, first_shown, {}};
    p.user = &seen;
    p.progress = [](void* user, const motley_progress* at) -> int32_t {
      auto* s = static_cast<Seen*>(user);
      if (s->done.empty()) s->first = s->shown;
      s->done.push_back(at->done);
      return at->total != 3;
    };
    ok(motley_sample(small.unet.get(), small.prompts.get(), &small.ddim, &p, latents.data(), &small.error), small.error);
    CHECK(seen.done == std::vector<int64_t>{1, 2, 3});
    std::vector<int32_t> t(5);
    std::vector<double> alpha(5), previous(5);
    ok(motley_ddim_schedule(&small.ddim, 5, t.data(), alpha.data(), previous.data(), &small.error), small.error);
    std::vector<float> start(size);
    for (size_t i = 0; i < size; ++i) start[i] = static_cast<float>(std::sqrt(alpha[2]) * image[i] + std::sqrt(1 - alpha[2]) * noise[i]);
    const auto [wanted, x0] = by_hand(small, h, w, start, 5, 2, 3.0);
    CHECK(worst_part(latents, wanted) < 1e-5);
    CHECK(worst_part(first_shown, x0) < 1e-5);
  }
}

TEST_CASE("progress reports every step and can cancel; memory does not grow") {
  Small small;
  Images images;
  images.add(1, 2.0f, 0.0f, 1);
  run(small, images);
  const int64_t live = memory::live_bytes();
  motley_sample_params p = images.params(5);
  std::vector<double> seen;
  p.user = &seen;
  p.progress = [](void* user, const motley_progress* at) -> int32_t {
    auto* list = static_cast<std::vector<double>*>(user);
    list->push_back(at->value);
    return at->done == 3;
  };
  std::vector<float> latents(256, 5.0f);
  CHECK(motley_sample(small.unet.get(), small.prompts.get(), &small.ddim, &p, latents.data(), &small.error) == MOTLEY_CANCELLED);
  CHECK(seen == std::vector<double>{801, 601, 401});
  CHECK(latents == std::vector<float>(256, 5.0f));
  CHECK(memory::live_bytes() == live);
  const int64_t pooled = memory::pooled_bytes();
  for (int i = 0; i < 3; ++i) run(small, images);
  CHECK(memory::live_bytes() == live);
  CHECK(memory::pooled_bytes() == pooled);
}

TEST_CASE("the whole small pipeline gives diffusers' latents and image") {
  const Golden g("pipeline_small");
  const auto text = make_text(Golden("clip_text_small"));
  const auto unet = make_unet(Golden("unet_small"));
  const auto vae = make_vae(Golden("vae_small"));
  constexpr int32_t kEnd = 49407;
  const std::vector<std::vector<int32_t>> words = {{}, {550, 2867, 539, 320, 1929}, {320, 5269, 539, 320, 4629}, {21977}, {1125}};
  std::vector<int32_t> ids;  // "", an image of a dog, a sketch of a truck, blurry, photo
  for (const auto& prompt : words) {
    std::vector<int32_t> row(77, kEnd);
    row[0] = 49406;
    std::copy(prompt.begin(), prompt.end(), row.begin() + 1);
    ids.insert(ids.end(), row.begin(), row.end());
  }
  motley_error e;
  std::vector<float> hidden(5 * 77 * 48);
  ok(motley_text_encode(text.get(), 5, ids.data(), hidden.data(), &e), e);
  motley_prompts* made = nullptr;
  ok(motley_prompts_create(unet.get(), 5, 77, hidden.data(), &made, &e), e);
  const Handle<motley_prompts> prompts(made);
  const auto ddim = ddim_config();
  auto draw = [&](float guidance, int32_t steps, std::vector<int32_t> negative) {
    const std::vector<int32_t> prompt = {1, 2};
    const std::vector<float> scale = {guidance, guidance};
    motley_sample_params p = {};
    p.struct_size = sizeof p;
    p.batch = 2;
    p.height = p.width = 8;
    p.steps = steps;
    p.prompt = prompt.data();
    p.negative = negative.data();
    p.guidance = scale.data();
    p.latents = g.values("latents").data();
    std::vector<float> out(2 * 4 * 64);
    ok(motley_sample(unet.get(), prompts.get(), &ddim, &p, out.data(), &e), e);
    return out;
  };
  auto compare = [&](const std::string& name, const std::vector<float>& values) {
    const auto& expected = g.values(name);
    float largest = 0;
    for (float v : expected) largest = std::max(largest, std::abs(v));
    const Difference d = difference(values.data(), expected.data(), expected.size());
    MESSAGE(name, ": largest difference / largest value = ", d.max_abs / static_cast<double>(largest));
    CHECK(d.max_abs <= 1e-3 * static_cast<double>(largest));
  };
  for (int32_t steps : {4, 40}) {
    compare("final_latents_g1.0_s" + std::to_string(steps), draw(1, steps, {0, 0}));
    compare("final_latents_g2.0_s" + std::to_string(steps), draw(2, steps, {0, 0}));
  }
  compare("final_latents_g7.5_s4", draw(7.5f, 4, {0, 0}));
  compare("final_latents_g5_neg", draw(5, 10, {3, 4}));
  const auto last = draw(7.5f, 40, {0, 0});
  compare("final_latents_g7.5_s40", last);
  std::vector<float> units(2 * 32 * 32 * 3);
  std::vector<uint8_t> pixels(units.size());
  int32_t flags[2] = {-1, -1};
  ok(motley_vae_decode_pixels(vae.get(), 2, 8, 8, last.data(), 0, pixels.data(), units.data(), flags, &e), e);
  compare("image_g7.5_s40", units);
  for (size_t i = 0; i < units.size(); ++i) REQUIRE(std::abs(static_cast<float>(pixels[i]) - 255 * g.values("image_g7.5_s40")[i]) <= 2.0f);
  CHECK(flags[0] == 0);
  CHECK(flags[1] == 0);
}

TEST_CASE("images are cut into chunks by a pure policy, as many for each thread") {
  CHECK(chunks_of(50, 64, 2) == 6);
  CHECK(chunks_of(1, 64, 2) == 1);
  CHECK(chunks_of(3, 64, 2) == 2);
  CHECK(chunks_of(3, 64, 4) == 1);     // too few images for four threads: they share the ops
  CHECK(chunks_of(4, 4096, 16) == 4);  // Stable Diffusion's latents: one image fills the kernels
  CHECK(chunks_of(100, 64, 1) == 9);
  for (int64_t batch = 2; batch < 200; ++batch) {
    const int64_t chunks = chunks_of(batch, 64, 2);
    CHECK(chunks <= batch);
    CHECK((batch + chunks - 1) / chunks <= 12);
    CHECK((chunks % 2 == 0 || chunks == batch));
  }
}

TEST_CASE("many images over several chunks are what each is alone, on one thread or two") {
  Small small;
  Images images;
  for (int32_t i = 0; i < 30; ++i) images.add(1 + i % 2, i % 3 == 0 ? 1.0f : 3.0f, 0.0f, static_cast<uint64_t>(i));
  const auto together = run(small, images, 2);
  ok(motley_runtime_configure(1, MOTLEY_ISA_AUTO, &small.error), small.error);
  CHECK(together == run(small, images, 2));
  ok(motley_runtime_configure(2, MOTLEY_ISA_AUTO, &small.error), small.error);
  Images one;
  one.add(2, 3.0f, 0.0f, 29);
  const auto last = run(small, one, 2);
  CHECK(std::equal(last.begin(), last.end(), together.end() - 256));
}
