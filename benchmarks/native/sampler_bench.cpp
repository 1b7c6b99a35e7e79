// SPDX-License-Identifier: Apache-2.0
// Images per second of the sampler on a diffusers folder (float16 or float32 safetensors), and where the time goes.
//   sampler_bench MODEL_DIR [BATCH [STEPS [REPEATS [PRECISION [IDS_FILE OUT.ppm]]]]]
// IDS_FILE: lines of token ids, one prompt each, the first one the empty prompt; the pictures go to OUT.ppm in a row.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "api/weights.h"
#include "harness.h"
#include "libtorch/convert.h"
#include "support/diffusion.h"
#include "support/golden.h"

using namespace motley;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(MOTLEY_INVALID_ARGUMENT, "cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

const char* map_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY);
  struct stat status = {};
  if (file < 0 || fstat(file, &status) != 0) throw Error(MOTLEY_INVALID_ARGUMENT, "cannot read " + path);
  void* mapped = mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (mapped == MAP_FAILED) throw Error(MOTLEY_OUT_OF_MEMORY, "cannot map " + path);
  return static_cast<const char*>(mapped);  // until the program ends
}

void ok(motley_status status, const motley_error& error) {
  if (status != MOTLEY_OK) throw Error(status, error.message);
}

// A safetensors file and the weights in it.
struct Part {
  const char* file;
  motley_weights weights;
  test::Json config;

  Part(const std::string& folder, const std::string& name)
      : file(map_file(folder + "/" + name)), config(test::parse_json(read_file(folder + "/config.json"))) {
    uint64_t header = 0;
    std::memcpy(&header, file, 8);
    for (const auto& [key, value] : test::parse_json(std::string(file + 8, header)).members) {
      if (key == "__metadata__") continue;
      Shape shape;
      for (const auto& size : value["shape"].items) shape.push_back(static_cast<int64_t>(size.number));
      const DType type = value["dtype"].text == "F16" ? DType::f16 : DType::f32;
      weights.tensors[key] = {type, shape, file + 8 + header + static_cast<size_t>(value["data_offsets"][0].number), true};
    }
  }
};

void write_row(const std::string& path, const std::vector<uint8_t>& pixels, int64_t n, int64_t side) {
  std::ofstream out(path, std::ios::binary);
  out << "P6\n" << n * side << " " << side << "\n255\n";
  for (int64_t y = 0; y < side; ++y) {
    for (int64_t i = 0; i < n; ++i) out.write(reinterpret_cast<const char*>(pixels.data()) + (i * side + y) * side * 3, side * 3);
  }
}

void run(int argc, char** argv) {
  const std::string model = argv[1];
  const auto number = [&](int i, int64_t otherwise) { return argc > i ? std::atoll(argv[i]) : otherwise; };
  const int64_t batch = number(2, 50), repeats = number(4, 3);
  const auto steps = static_cast<int32_t>(number(3, 40));
  const std::map<std::string, int32_t> precisions = {
      {"fp32", MOTLEY_PRECISION_FP32}, {"bf16", MOTLEY_PRECISION_BF16}, {"fp16", MOTLEY_PRECISION_FP16}};
  const int32_t precision = precisions.at(argc > 5 ? argv[5] : "fp32");
  motley_error e;
  const double begin = bench::now().wall;
  Part text_part(model + "/text_encoder", "model.safetensors"), unet_part(model + "/unet", "diffusion_pytorch_model.safetensors"),
      vae_part(model + "/vae", "diffusion_pytorch_model.safetensors");
  auto text_config = test::text_config(text_part.config);
  auto unet_config = test::unet_config(unet_part.config);
  auto vae_config = test::vae_config(vae_part.config);
  text_config.precision = unet_config.precision = vae_config.precision = precision;
  motley_text* text = nullptr;
  motley_unet* unet = nullptr;
  motley_vae* vae = nullptr;
  motley_prompts* prompts = nullptr;
  ok(motley_text_create(&text_config, &text_part.weights, &text, &e), e);
  ok(motley_unet_create(&unet_config, &unet_part.weights, &unet, &e), e);
  ok(motley_vae_create(&vae_config, &vae_part.weights, &vae, &e), e);
  const double loaded = bench::now().wall - begin;

  std::vector<int32_t> ids;
  if (argc > 6) {
    std::ifstream in(argv[6]);
    for (int32_t id; in >> id;) ids.push_back(id);
  } else {
    ids.assign(static_cast<size_t>(2 * text_config.positions), text_config.vocabulary - 1);
    ids[0] = ids[static_cast<size_t>(text_config.positions)] = text_config.vocabulary - 2;
  }
  const auto n = static_cast<int64_t>(ids.size()) / text_config.positions;
  std::vector<float> hidden(ids.size() * static_cast<size_t>(text_config.width));
  ok(motley_text_encode(text, n, ids.data(), hidden.data(), &e), e);
  ok(motley_prompts_create(unet, n, text_config.positions, hidden.data(), &prompts, &e), e);

  const auto side = static_cast<int64_t>(unet_part.config["sample_size"].number), size = unet_config.in_channels * side * side;
  std::vector<int32_t> prompt, negative(static_cast<size_t>(batch), 0), flags(static_cast<size_t>(batch));
  std::vector<float> guidance(static_cast<size_t>(batch), 2.0f), latents(static_cast<size_t>(batch * size));
  std::vector<uint64_t> seed(static_cast<size_t>(batch), 1), key;
  for (int64_t i = 0; i < batch; ++i) prompt.push_back(static_cast<int32_t>(1 + i % (n - 1))), key.push_back(static_cast<uint64_t>(i));
  const auto ddim = test::ddim_config();
  motley_sample_params p = {};
  p.struct_size = sizeof p;
  p.batch = batch;
  p.height = p.width = side;
  p.steps = steps;
  p.prompt = prompt.data();
  p.negative = negative.data();
  p.guidance = guidance.data();
  p.seed = seed.data();
  p.image_key = key.data();
  const int64_t pixel_side = side << (vae_config.block_count - 1);
  std::vector<uint8_t> pixels(static_cast<size_t>(batch * pixel_side * pixel_side * vae_config.out_channels));
  bench::start_profile();
  double best_sample = 1e30, best_decode = 1e30;
  for (int64_t r = 0; r < repeats; ++r) {
    const double start = bench::now().wall;
    ok(motley_sample(unet, prompts, &ddim, &p, latents.data(), &e), e);
    const double middle = bench::now().wall;
    ok(motley_vae_decode_pixels(vae, batch, side, side, latents.data(), 0, pixels.data(), nullptr, flags.data(), &e), e);
    best_sample = std::min(best_sample, middle - start);
    best_decode = std::min(best_decode, bench::now().wall - middle);
  }
  std::printf("batch %lld, %d steps: sampling %.2f images/s, decoding %.1f images/s, together %.2f images/s (best of %lld)\n",
              static_cast<long long>(batch), steps, batch / best_sample, batch / best_decode, batch / (best_sample + best_decode),
              static_cast<long long>(repeats));
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("loading %.1f s; peak resident memory %.2f GiB\n", loaded, static_cast<double>(usage.ru_maxrss) / (1 << 20));
  bench::print_profile();
  if (argc > 7) write_row(argv[7], pixels, batch, pixel_side);
  motley_prompts_destroy(prompts);
  motley_vae_destroy(vae);
  motley_unet_destroy(unet);
  motley_text_destroy(text);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: sampler_bench MODEL_DIR [BATCH [STEPS [REPEATS [fp32|bf16|fp16 [IDS_FILE OUT.ppm]]]]]\n");
    return 2;
  }
  return bench::run_on_libtorch([&] { run(argc, argv); });
}
