/* SPDX-License-Identifier: Apache-2.0
 *
 * motley.h - the only door to Motley's native core.
 *
 * Conventions
 *  - Handles are opaque. Each `X_create` has one `X_destroy`; destroying NULL is a no-op. A handle may be used by one
 *    thread at a time; different handles may be used by different threads at the same time.
 *  - Every fallible function returns a `motley_status` and, when it is not MOTLEY_OK, writes one line of text into
 *    `error` (which may be NULL). What outputs hold is only defined on MOTLEY_OK, unless a function says otherwise.
 *  - Params and config structs begin with `struct_size` = sizeof the struct the caller was compiled with.
 *  - Arrays are dense and row-major; shapes are given as (slowest, ..., fastest). Images are NHWC, network inputs named
 *    "sample" or "latents" are NCHW as in diffusers. Sizes are in elements unless "bytes" is said.
 *  - No function throws, none writes to stdout. Pointers are only read or written during the call, except where noted.
 */
#ifndef MOTLEY_H
#define MOTLEY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define MOTLEY_EXPORT __declspec(dllexport)
#else
#define MOTLEY_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
#define MOTLEY_NOEXCEPT noexcept
#else
#define MOTLEY_NOEXCEPT
#endif

/* major * 1000 + minor; the major changes whenever a struct or signature below changes meaning. */
#define MOTLEY_API_VERSION 8000
#define MOTLEY_MAX_BLOCKS 8
#define MOTLEY_MAX_DIMS 6
#define MOTLEY_MESSAGE_BYTES 2040

typedef int32_t motley_status;
#define MOTLEY_OK 0
#define MOTLEY_INVALID_ARGUMENT 1 /* the caller's input is wrong; the message says what was expected */
#define MOTLEY_OUT_OF_MEMORY 2
#define MOTLEY_CANCELLED 3   /* a progress callback returned non-zero */
#define MOTLEY_UNAVAILABLE 4 /* libtorch, a symbol or a device is missing; the message names it */
#define MOTLEY_INTERNAL 5
#define MOTLEY_NOT_FINITE 6 /* a training's loss is infinite or no number: it diverged */

typedef struct motley_error {
  int32_t status;
  int32_t reserved;
  char message[MOTLEY_MESSAGE_BYTES]; /* UTF-8, NUL-terminated, one line */
} motley_error;

/* Element types. The values are Motley's own. */
#define MOTLEY_F32 0
#define MOTLEY_F16 1
#define MOTLEY_BF16 2
#define MOTLEY_F64 3
#define MOTLEY_U8 4
#define MOTLEY_I64 5

/* Compute precision of a model: activations and matrix products; statistics and master weights are always float32. */
#define MOTLEY_PRECISION_FP32 0
#define MOTLEY_PRECISION_BF16 1
#define MOTLEY_PRECISION_FP16 2 /* not for classifiers. Arithmetic is float32 on any CPU; beyond 65504 values become infinite */

/* Work that is saved because the result is the same but for rounding. A set bit has it done as published, to compare. */
#define MOTLEY_PUBLISHED_UPSAMPLE 1  /* double, then convolve; else a 2x2 convolution for each of the four sub-pixel phases */
#define MOTLEY_PUBLISHED_PREFIX 2    /* both halves of guidance from the first layer on; else from the first cross-attention on */
#define MOTLEY_PUBLISHED_CONTEXT 4   /* a prompt's keys and values at every step; else once */
#define MOTLEY_PUBLISHED_TIME 8      /* the time embedding at every step; else a table */
#define MOTLEY_PUBLISHED_GUIDANCE 16 /* both halves where guidance is 1, too; else the conditional one alone */

/* Called from the calling thread between two steps of a long call, while its other threads may go on. Non-zero cancels. */
typedef struct motley_progress {
  int64_t done;  /* steps finished */
  int64_t total; /* steps of this call */
  double value;  /* training: mean loss of the steps since the last report; sampling: timestep just done */
  double value2; /* training: fraction of right answers in them; else 0 */
} motley_progress;
typedef int32_t (*motley_progress_fn)(void* user, const motley_progress* progress);

/* ---- runtime ------------------------------------------------------------------------------------------------ */

/* MOTLEY_API_VERSION of the library, to be compared with the header's before anything else is called. */
MOTLEY_EXPORT int32_t motley_api_version(void) MOTLEY_NOEXCEPT;

#define MOTLEY_ISA_AUTO 0
#define MOTLEY_ISA_SCALAR 1
#define MOTLEY_ISA_AVX2 2
#define MOTLEY_ISA_AVX512 3
#define MOTLEY_ISA_AVX512_BF16 4
#define MOTLEY_ISA_AMX 5

typedef struct motley_runtime_params {
  int64_t struct_size;
  const char* libtorch_dir; /* folder of libtorch_cpu.so (UTF-8) */
  int32_t threads;          /* 0: as many as libtorch chooses: OMP_NUM_THREADS, else the CPUs it may run on, whatever their quota */
  int32_t max_isa;          /* MOTLEY_ISA_*; AUTO takes the best one that the CPU has */
} motley_runtime_params;

/* Loads libtorch and chooses the CPU's kernels. Must succeed before any function below; a second call with the same
 * folder is a no-op, with another one MOTLEY_INVALID_ARGUMENT. */
MOTLEY_EXPORT motley_status motley_runtime_initialize(const motley_runtime_params* params, motley_error* error) MOTLEY_NOEXCEPT;

/* Changes the number of compute threads (>= 1) and the highest instruction set (MOTLEY_ISA_*; tests compare paths). Not while
 * another call runs. */
MOTLEY_EXPORT motley_status motley_runtime_configure(int32_t threads, int32_t max_isa, motley_error* error) MOTLEY_NOEXCEPT;

/* Writes a JSON object {"api","libtorch","isa","cpu","features","threads","architectures":[...],"cuda"} into buffer (NUL-terminated).
 * capacity in bytes; too small is MOTLEY_INVALID_ARGUMENT. */
MOTLEY_EXPORT motley_status motley_runtime_describe(char* buffer, int64_t capacity, motley_error* error) MOTLEY_NOEXCEPT;

/* Bytes held by live tensors (0 when every handle is destroyed) and bytes kept for reuse by the pool. */
MOTLEY_EXPORT int64_t motley_live_bytes(void) MOTLEY_NOEXCEPT;
MOTLEY_EXPORT int64_t motley_pooled_bytes(void) MOTLEY_NOEXCEPT;
/* Returns the pool's idle blocks to the system. */
MOTLEY_EXPORT void motley_trim(void) MOTLEY_NOEXCEPT;

/* ---- profile ------------------------------------------------------------------------------------------------ */

/* Counts what every kind of layer takes from now on, from zero. Seconds are weighted with an op's share of the threads (1 of n where each
 * thread takes its own part of a batch), so that they add up to the wall's time but for what is outside of ops and for waiting threads. */
MOTLEY_EXPORT void motley_profile_start(void) MOTLEY_NOEXCEPT;
MOTLEY_EXPORT void motley_profile_stop(void) MOTLEY_NOEXCEPT;
/* Writes {"seconds": from start to stop, or until now,
 *         "ops": [{"op", "shape", "calls", "seconds", "flops", "bytes"}, ...]}, the slowest kind of layer first.
 * flops: 2 for each multiply-add of the layer's matrix products as published, though fewer may have been done (Winograd). bytes: inputs,
 * weights and results once, as stored. Both are sums over the calls. */
MOTLEY_EXPORT motley_status motley_profile_json(char* buffer, int64_t capacity, motley_error* error) MOTLEY_NOEXCEPT;

typedef struct motley_peaks {
  double multiply_add; /* FLOP/s on registers alone, of the units that multiply matrices in this precision */
  double product;      /* FLOP/s of one large matrix product by Motley's kernels */
  double copy;         /* bytes/s read and written, by a copy that no cache holds */
} motley_peaks;

/* What this machine does at most, with all threads at once, measured in a few seconds. precision: MOTLEY_PRECISION_*. */
MOTLEY_EXPORT motley_status motley_measure_peaks(int32_t precision, motley_peaks* peaks, motley_error* error) MOTLEY_NOEXCEPT;

/* ---- weights ------------------------------------------------------------------------------------------------ */

/* A named set of tensors, by reference: `data` must stay readable until the models made from it are created. */
typedef struct motley_weights motley_weights;
MOTLEY_EXPORT motley_status motley_weights_create(motley_weights** out, motley_error* error) MOTLEY_NOEXCEPT;
MOTLEY_EXPORT void motley_weights_destroy(motley_weights* weights) MOTLEY_NOEXCEPT;
/* name: UTF-8, the part's own name as in diffusers (e.g. "conv_in.weight"). bytes must equal product(shape) * size.
 * mapped: 1 where data lies in a read-only mapping of a file. Its pages are then let go of once they were read, so that a model
 * and its file are not in memory at the same time; read again, they come from the file. */
MOTLEY_EXPORT motley_status motley_weights_add(motley_weights* weights, const char* name, int32_t dtype, int32_t dims, const int64_t* shape,
                                               const void* data, int64_t bytes, int32_t mapped, motley_error* error) MOTLEY_NOEXCEPT;

/* ---- text encoder (CLIP text transformer) -------------------------------------------------------------------- */

#define MOTLEY_QUICK_GELU 0
#define MOTLEY_GELU 1

typedef struct motley_text_config {
  int64_t struct_size;
  int32_t vocabulary, positions, width, layers, heads, mlp_width, activation, precision;
  double norm_eps;
} motley_text_config;

typedef struct motley_text motley_text;
/* Missing, extra or mis-shaped tensors are one MOTLEY_INVALID_ARGUMENT that names each key and both shapes. */
MOTLEY_EXPORT motley_status motley_text_create(const motley_text_config* config, const motley_weights* weights, motley_text** out,
                                               motley_error* error) MOTLEY_NOEXCEPT;
MOTLEY_EXPORT void motley_text_destroy(motley_text* text) MOTLEY_NOEXCEPT;
/* ids (n, positions) in [0, vocabulary) -> hidden (n, positions, width): last hidden state after the final norm. */
MOTLEY_EXPORT motley_status motley_text_encode(motley_text* text, int64_t n, const int32_t* ids, float* hidden,
                                               motley_error* error) MOTLEY_NOEXCEPT;

/* ---- vision encoder (CLIP vision transformer with projection) -------------------------------------------------- */

typedef struct motley_vision_config {
  int64_t struct_size;
  int32_t image_size, patch_size, width, layers, heads, mlp_width;
  int32_t projection; /* values of an embedding */
  int32_t activation, precision, reserved;
  double norm_eps;
} motley_vision_config;

typedef struct motley_vision motley_vision;
/* Tensors as transformers' CLIPVisionModelWithProjection names them; faults as in motley_text_create. */
MOTLEY_EXPORT motley_status motley_vision_create(const motley_vision_config* config, const motley_weights* weights, motley_vision** out,
                                                 motley_error* error) MOTLEY_NOEXCEPT;
MOTLEY_EXPORT void motley_vision_destroy(motley_vision* vision) MOTLEY_NOEXCEPT;
/* pixels (n, 3, image_size, image_size), normalised -> embeds (n, projection), not scaled to length 1. */
MOTLEY_EXPORT motley_status motley_vision_encode(motley_vision* vision, int64_t n, const float* pixels, float* embeds,
                                                 motley_error* error) MOTLEY_NOEXCEPT;

/* ---- UNet2DCondition ------------------------------------------------------------------------------------------ */

typedef struct motley_unet_config {
  int64_t struct_size;
  int32_t in_channels, out_channels, block_count, layers_per_block, cross_attention_dim, norm_groups;
  int32_t block_channels[MOTLEY_MAX_BLOCKS]; /* block_out_channels */
  int32_t heads[MOTLEY_MAX_BLOCKS];          /* attention heads of down block i (and up block count-1-i) */
  int32_t down_attention[MOTLEY_MAX_BLOCKS]; /* 1: CrossAttnDownBlock2D, 0: DownBlock2D */
  int32_t up_attention[MOTLEY_MAX_BLOCKS];   /* 1: CrossAttnUpBlock2D, 0: UpBlock2D, in diffusers' order */
  int32_t mid_attention;                     /* 1: UNetMidBlock2DCrossAttn */
  int32_t flip_sin_to_cos, linear_projection, precision;
  double freq_shift, norm_eps;
} motley_unet_config;

typedef struct motley_unet motley_unet;
MOTLEY_EXPORT motley_status motley_unet_create(const motley_unet_config* config, const motley_weights* weights, motley_unet** out,
                                               motley_error* error) MOTLEY_NOEXCEPT;
MOTLEY_EXPORT void motley_unet_destroy(motley_unet* unet) MOTLEY_NOEXCEPT;
/* sample (n, in_channels, height, width), timesteps (n), context (n, tokens, cross_attention_dim) -> eps, as sample
 * with out_channels. Any height and width, as diffusers has it. */
MOTLEY_EXPORT motley_status motley_unet_forward(motley_unet* unet, int64_t n, int64_t height, int64_t width, int64_t tokens,
                                                const float* sample, const float* timesteps, const float* context, float* eps,
                                                motley_error* error) MOTLEY_NOEXCEPT;

/* ---- AutoencoderKL -------------------------------------------------------------------------------------------- */

typedef struct motley_vae_config {
  int64_t struct_size;
  int32_t in_channels, out_channels, latent_channels, block_count, layers_per_block, norm_groups;
  int32_t block_channels[MOTLEY_MAX_BLOCKS];
  int32_t mid_attention, quant_conv, post_quant_conv, precision;
  double scaling_factor;
  int32_t as_published; /* MOTLEY_PUBLISHED_UPSAMPLE or 0 */
  int32_t reserved;
} motley_vae_config;

typedef struct motley_vae motley_vae;
MOTLEY_EXPORT motley_status motley_vae_create(const motley_vae_config* config, const motley_weights* weights, motley_vae** out,
                                              motley_error* error) MOTLEY_NOEXCEPT;
MOTLEY_EXPORT void motley_vae_destroy(motley_vae* vae) MOTLEY_NOEXCEPT;
/* latents (n, latent_channels, h, w), not scaled -> images (n, out_channels, H, W), nominally in [-1, 1],
 * H = h * 2^(block_count - 1). */
MOTLEY_EXPORT motley_status motley_vae_decode(motley_vae* vae, int64_t n, int64_t h, int64_t w, const float* latents, float* images,
                                              motley_error* error) MOTLEY_NOEXCEPT;
/* images (n, in_channels, H, W) in [-1, 1] -> mean and logvar (n, latent_channels, h, w); logvar is not clamped. */
MOTLEY_EXPORT motley_status motley_vae_encode(motley_vae* vae, int64_t n, int64_t height, int64_t width, const float* images, float* mean,
                                              float* logvar, motley_error* error) MOTLEY_NOEXCEPT;
/* Scaled latents as the sampler gives them -> pixels (n, H, W, out_channels): value = clamp((decoded + 1) / 2, 0, 1) * 255,
 * rounded to even (truncate = 0, diffusers) or cut (1, CompVis). flags (n): bit 0 a NaN or infinity was decoded, bit 1 the
 * image is one constant colour. `pixels` and `floats` (the same before quantising, in [0, 1]) may be NULL, not both. */
MOTLEY_EXPORT motley_status motley_vae_decode_pixels(motley_vae* vae, int64_t n, int64_t h, int64_t w, const float* latents,
                                                     int32_t truncate, uint8_t* pixels, float* floats, int32_t* flags,
                                                     motley_error* error) MOTLEY_NOEXCEPT;

/* ---- sampler (DDIM with classifier-free guidance) ------------------------------------------------------------- */

#define MOTLEY_BETAS_SCALED_LINEAR 0
#define MOTLEY_BETAS_LINEAR 1

typedef struct motley_ddim_config {
  int64_t struct_size;
  int32_t train_timesteps, steps_offset, set_alpha_to_one, beta_schedule;
  double beta_start, beta_end;
} motley_ddim_config;

/* "leading" spacing as diffusers' DDIMScheduler. timesteps (steps), descending; alpha and alpha_prev (steps): cumulative
 * products at each time step and at the one before it. The first time step must be below train_timesteps. */
MOTLEY_EXPORT motley_status motley_ddim_schedule(const motley_ddim_config* config, int32_t steps, int32_t* timesteps, double* alpha,
                                                 double* alpha_prev, motley_error* error) MOTLEY_NOEXCEPT;

/* Prompts encoded once: their cross-attention keys and values for one UNet, whose weights they keep alive. */
typedef struct motley_prompts motley_prompts;
/* context (n, tokens, cross_attention_dim) */
MOTLEY_EXPORT motley_status motley_prompts_create(motley_unet* unet, int64_t n, int64_t tokens, const float* context, motley_prompts** out,
                                                  motley_error* error) MOTLEY_NOEXCEPT;
MOTLEY_EXPORT void motley_prompts_destroy(motley_prompts* prompts) MOTLEY_NOEXCEPT;

typedef struct motley_sample_params {
  int64_t struct_size;
  int64_t batch;
  int64_t height, width; /* of the latents */
  int32_t steps;
  int32_t clip_sample;         /* 1: clamp the predicted x0 to [-1, 1] */
  const int32_t* prompt;       /* (batch): index into prompts */
  const int32_t* negative;     /* (batch): index of the unconditional or negative prompt */
  const float* guidance;       /* (batch): exactly 1 skips the negative half; any finite value */
  const float* eta;            /* (batch) or NULL for 0 */
  const uint64_t* seed;        /* (batch): Philox key; NULL only where latents is given and eta is 0 or NULL */
  const uint64_t* image_key;   /* (batch): Philox stream of the image */
  const float* latents;        /* (batch, channels, height, width) initial noise, or NULL: Philox normals (draw 0) */
  const float* noise;          /* (steps, batch, channels, height, width) for eta > 0, or NULL: Philox normals */
  motley_progress_fn progress; /* may be NULL; counts the steps from first_step on */
  void* user;
  const float* image;   /* (batch, channels, height, width) latents of images to begin from, scaled, or NULL. The first
                                * step then sees sqrt(alpha) image + sqrt(1 - alpha) noise, noise being `latents` or drawn */
  int32_t first_step;   /* steps left out at the beginning, 0 to steps - 1: diffusers' img2img leaves out
                                * steps - min(int(steps * strength), steps) */
  int32_t as_published; /* bits of MOTLEY_PUBLISHED_*, or 0 */
  float* preview;       /* (batch, channels, height, width) or NULL: before each call of progress, the denoised latents
                                * as the last step predicts them (x0) */
} motley_sample_params;

/* latents (batch, channels, height, width): denoised, still scaled. An image's result depends only on its own entries,
 * not on the batch it is in. */
MOTLEY_EXPORT motley_status motley_sample(motley_unet* unet, const motley_prompts* prompts, const motley_ddim_config* config,
                                          const motley_sample_params* params, float* latents, motley_error* error) MOTLEY_NOEXCEPT;

/* Philox4x32-10 normals (Box-Muller): element i depends on (seed, key, draw, i) only. draw 0 is the initial noise,
 * 1 + s the noise of step s. */
MOTLEY_EXPORT motley_status motley_noise_philox(uint64_t seed, uint64_t key, uint64_t draw, int64_t n, float* out,
                                                motley_error* error) MOTLEY_NOEXCEPT;
/* out (draws, n): so many torch.randn(n, generator=g), one after the other, of g = torch.Generator("cpu").manual_seed(seed): mt19937,
 * bit for bit where libm agrees. */
MOTLEY_EXPORT motley_status motley_noise_torch(uint64_t seed, int64_t draws, int64_t n, float* out, motley_error* error) MOTLEY_NOEXCEPT;

/* ---- image sets and classifiers --------------------------------------------------------------------------------- */

/* Packed images: pixels (n, height, width, 3) uint8 RGB, labels (n). The labels are copied. The pixels are not: they are read by every
 * call that is given the images, and must stay where and as they are until the destroy; they may be a mapped file. */
typedef struct motley_images motley_images;
MOTLEY_EXPORT motley_status motley_images_create(int64_t n, int64_t height, int64_t width, const uint8_t* pixels, const int32_t* labels,
                                                 motley_images** out, motley_error* error) MOTLEY_NOEXCEPT;
MOTLEY_EXPORT void motley_images_destroy(motley_images* images) MOTLEY_NOEXCEPT;

#define MOTLEY_BATCHNORM_RUNNING 0 /* running statistics: model.eval() */
#define MOTLEY_BATCHNORM_BATCH 1   /* statistics of the test batch, running ones left alone */
#define MOTLEY_BATCHNORM_TRAIN 2   /* as 1, with dropout and stochastic depth: model.train(), which some published code tests in */

#define MOTLEY_STEM_IMAGENET 0 /* of a ResNet: 7x7 stride 2, then a maximum of stride 2 */
#define MOTLEY_STEM_CIFAR 1    /* 3x3 stride 1, no pooling */

typedef struct motley_classifier_config {
  int64_t struct_size;
  const char* architecture; /* one of those that motley_runtime_describe lists */
  int32_t classes, image_size, precision;
  int32_t stem;            /* MOTLEY_STEM_*; only ResNets have another than 0 */
  double dropout;          /* share of features dropped while training; negative: the architecture's own */
  double stochastic_depth; /* chance that the last residual branch is left out for an image; negative: the architecture's own */
  uint64_t seed;           /* of the initialisation, when no weights are given, and of evaluation in MOTLEY_BATCHNORM_TRAIN */
} motley_classifier_config;

typedef struct motley_classifier motley_classifier;
/* Checks a config as motley_classifier_create does, without drawing or loading weights. least_batch: the fewest images of a training
 * batch, 2 where BatchNorm would find but one value of a channel in a single image, else 1. */
MOTLEY_EXPORT motley_status motley_classifier_check(const motley_classifier_config* config, int64_t* least_batch,
                                                    motley_error* error) MOTLEY_NOEXCEPT;
/* weights NULL: initialised from the seed as torchvision does; else all tensors by torchvision's names. */
MOTLEY_EXPORT motley_status motley_classifier_create(const motley_classifier_config* config, const motley_weights* weights,
                                                     motley_classifier** out, motley_error* error) MOTLEY_NOEXCEPT;
MOTLEY_EXPORT void motley_classifier_destroy(motley_classifier* classifier) MOTLEY_NOEXCEPT;

/* Parameters first (in torchvision's order), then buffers. name stays valid as long as the classifier. */
typedef struct motley_tensor_info {
  const char* name;
  int32_t dtype, dims, trainable, head; /* head: of the layer that makes the logits */
  int64_t shape[MOTLEY_MAX_DIMS];       /* torchvision's shape, e.g. OIHW */
} motley_tensor_info;
MOTLEY_EXPORT motley_status motley_classifier_tensors(const motley_classifier* classifier, int64_t* count,
                                                      motley_error* error) MOTLEY_NOEXCEPT;
MOTLEY_EXPORT motley_status motley_classifier_tensor(const motley_classifier* classifier, int64_t index, motley_tensor_info* info,
                                                     motley_error* error) MOTLEY_NOEXCEPT;
/* Copies tensor `index` out as float32 (num_batches_tracked too), in torchvision's layout. */
MOTLEY_EXPORT motley_status motley_classifier_read(const motley_classifier* classifier, int64_t index, float* values, int64_t count,
                                                   motley_error* error) MOTLEY_NOEXCEPT;

/* The network's graph for running statistics, as a JSON object in buffer: {"output":VALUE,"nodes":[{"op","inputs":[VALUE or null],
 * "output":VALUE,"shape":[...],ATTRIBUTES}]} in the order of computation. Values are "input" (1, S, S, 3), names of tensors, and "%1",
 * "%2", ...; activations are NHWC. For exporters. */
MOTLEY_EXPORT motley_status motley_classifier_graph(motley_classifier* classifier, char* buffer, int64_t capacity,
                                                    motley_error* error) MOTLEY_NOEXCEPT;

/* Network inputs (n, 3, image_size, image_size), already normalised -> logits (n, classes). */
MOTLEY_EXPORT motley_status motley_classifier_forward(motley_classifier* classifier, int64_t n, const float* inputs, int32_t batchnorm,
                                                      float* logits, motley_error* error) MOTLEY_NOEXCEPT;

typedef struct motley_normalisation {
  float mean[3], std[3]; /* input = (pixel / 255 - mean) / std */
} motley_normalisation;
/* Images [first, first + n) in batches -> logits (n, classes). resize: torchvision's Resize of the shorter side, at least image_size, of
 * which the central image_size x image_size is seen; 0: images of another size than image_size are refused. Small batches run
 * side by side, one a thread; progress counts images, in the order in which they are done. With batch statistics, batches
 * are drawn from [first, first + n) in an order that depends on n alone, as sets may be stored class by class, and a last image by
 * itself joins the batch before it where BatchNorm would find one value a channel in it. */
MOTLEY_EXPORT motley_status motley_classifier_evaluate(motley_classifier* classifier, const motley_images* images, int64_t first, int64_t n,
                                                       int64_t batch, int32_t batchnorm, int32_t resize,
                                                       const motley_normalisation* normalisation, float* logits,
                                                       motley_progress_fn progress, void* user, motley_error* error) MOTLEY_NOEXCEPT;

/* ---- trainer ------------------------------------------------------------------------------------------------------ */

typedef struct motley_trainer_config {
  int64_t struct_size;
  int32_t batch;
  int32_t drop_last; /* 1: an epoch's last, smaller batch is left out */
  int32_t head_only; /* 1: only the layer that makes the logits is trained; the rest computes as in evaluation, and stays as it is */
  int32_t reserved;
  double beta1, beta2, epsilon, weight_decay; /* AdamW, torch semantics: decay by lr * weight_decay, all parameters */
  double label_smoothing;                     /* 0: plain cross-entropy */
  double crop_scale_min, crop_scale_max;      /* RandomResizedCrop area; 1, 1: no crop */
  double crop_ratio_min, crop_ratio_max;      /* aspect ratio, sampled log-uniformly */
  double flip;                                /* probability of a horizontal flip */
  double rotation;                            /* RandomRotation before the flip: by up to so many degrees, nearest pixel, 0 outside */
  int64_t resize;                /* shorter side, before a RandomCrop of the classifier's size; 0: none. Excludes a crop scale */
  int64_t held_out;              /* images drawn by the seed that are never trained on */
  double mixup;                  /* alpha: a batch's share is from Beta(alpha, alpha); 0: images are not mixed */
  double ema_decay;              /* average += (1 - decay) * (weight - average) after every step; 0: none kept */
  double clip_norm;              /* of all gradients together, as torch's clip_grad_norm_; 0: not clipped */
  int32_t randaugment_ops;       /* operations of torchvision's RandAugment on each image; 0: none */
  int32_t randaugment_magnitude; /* of them, 0 to 30 */
  motley_normalisation normalisation;
  uint64_t seed; /* of order and augmentation: Philox by (seed, epoch, image) */
} motley_trainer_config;

typedef struct motley_trainer motley_trainer;
/* The classifier must outlive the trainer, and the two count as one handle: not for two threads at a time. */
MOTLEY_EXPORT motley_status motley_trainer_create(motley_classifier* classifier, const motley_trainer_config* config, motley_trainer** out,
                                                  motley_error* error) MOTLEY_NOEXCEPT;
MOTLEY_EXPORT void motley_trainer_destroy(motley_trainer* trainer) MOTLEY_NOEXCEPT;

/* Optimizer steps [first, first + count) of epoch `epoch` over the images; count is cut at the epoch's end, *done says how many
 * were made (also when cancelled or failed). The order is a permutation from (seed, epoch). progress is called after every
 * step. loss_sum and correct are sums over the images seen; of mixed images the label of the larger share is the right one. A loss
 * or, where gradients are clipped, a norm that is not finite stops with MOTLEY_NOT_FINITE before weights change; running statistics
 * have taken the batch in by then, so that to go on means to load a former state. */
MOTLEY_EXPORT motley_status motley_trainer_run(motley_trainer* trainer, const motley_images* images, int64_t epoch, int64_t first,
                                               int64_t count, double learning_rate, int64_t* done, double* loss_sum, int64_t* correct,
                                               motley_progress_fn progress, void* user, motley_error* error) MOTLEY_NOEXCEPT;
/* One step on given network inputs (n, 3, S, S) and labels (n), without augmentation -> mean loss, training logits (n, classes;
 * may be NULL). learning_rate NaN: gradients only, no update. MOTLEY_NOT_FINITE as above. */
MOTLEY_EXPORT motley_status motley_trainer_step(motley_trainer* trainer, int64_t n, const float* inputs, const int32_t* labels,
                                                double learning_rate, double* loss, float* logits, motley_error* error) MOTLEY_NOEXCEPT;
/* Augmented, normalised batch as the network would see it: entries [first, first + n) of epoch's order -> inputs (n, 3, S, S)
 * and labels (n). For tests and pictures. */
MOTLEY_EXPORT motley_status motley_trainer_preview(motley_trainer* trainer, const motley_images* images, int64_t epoch, int64_t first,
                                                   int64_t n, float* inputs, int32_t* labels, motley_error* error) MOTLEY_NOEXCEPT;

/* State of parameter `index` (an index of motley_classifier_tensor that is trained), in torchvision's layout. */
#define MOTLEY_STATE_GRADIENT 0 /* of the last step, before it is clipped; read only */
#define MOTLEY_STATE_EXP_AVG 1
#define MOTLEY_STATE_EXP_AVG_SQ 2
#define MOTLEY_STATE_AVERAGE 3 /* of the weights; only with an ema_decay, and only after a step */
MOTLEY_EXPORT motley_status motley_trainer_read(const motley_trainer* trainer, int64_t index, int32_t state, float* values, int64_t count,
                                                motley_error* error) MOTLEY_NOEXCEPT;
/* Restores optimizer state (count elements); `motley_trainer_set_steps` restores the step count of the bias correction. */
MOTLEY_EXPORT motley_status motley_trainer_write(motley_trainer* trainer, int64_t index, int32_t state, const float* values, int64_t count,
                                                 motley_error* error) MOTLEY_NOEXCEPT;
MOTLEY_EXPORT motley_status motley_trainer_steps(const motley_trainer* trainer, int64_t* steps, motley_error* error) MOTLEY_NOEXCEPT;
MOTLEY_EXPORT motley_status motley_trainer_set_steps(motley_trainer* trainer, int64_t steps, motley_error* error) MOTLEY_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
