// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import static java.lang.foreign.MemoryLayout.paddingLayout;
import static java.lang.foreign.MemoryLayout.sequenceLayout;
import static java.lang.foreign.MemoryLayout.structLayout;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * {@code motley.h} as Java sees it: constants, struct layouts and function descriptors. A test
 * parses the header and compares it with this table, so the two cannot drift apart.
 */
final class Header {

  static final int API_VERSION = 8000;
  static final int MAX_BLOCKS = 8;
  static final int MAX_DIMS = 6;
  static final int MESSAGE_BYTES = 2040;

  static final int OK = 0;
  static final int INVALID_ARGUMENT = 1;
  static final int OUT_OF_MEMORY = 2;
  static final int CANCELLED = 3;
  static final int UNAVAILABLE = 4;
  static final int INTERNAL = 5;
  static final int NOT_FINITE = 6;

  static final StructLayout ERROR =
      struct(
          "motley_error",
          ints("status", "reserved"),
          sequenceLayout(MESSAGE_BYTES, JAVA_BYTE).withName("message"));

  static final StructLayout PROGRESS =
      struct("motley_progress", longs("done", "total"), doubles("value", "value2"));

  static final StructLayout RUNTIME_PARAMS =
      struct(
          "motley_runtime_params",
          longs("struct_size"),
          pointers("libtorch_dir"),
          ints("threads", "max_isa"));

  static final StructLayout PEAKS = struct("motley_peaks", doubles("multiply_add"), doubles("product"), doubles("copy"));

  static final StructLayout TEXT_CONFIG =
      struct(
          "motley_text_config",
          longs("struct_size"),
          ints("vocabulary", "positions", "width", "layers", "heads", "mlp_width"),
          ints("activation", "precision"),
          doubles("norm_eps"));

  static final StructLayout VISION_CONFIG =
      struct(
          "motley_vision_config",
          longs("struct_size"),
          ints("image_size", "patch_size", "width", "layers", "heads", "mlp_width"),
          ints("projection", "activation", "precision", "reserved"),
          doubles("norm_eps"));

  static final StructLayout UNET_CONFIG =
      struct(
          "motley_unet_config",
          longs("struct_size"),
          ints("in_channels", "out_channels", "block_count", "layers_per_block"),
          ints("cross_attention_dim", "norm_groups"),
          blocks("block_channels"),
          blocks("heads"),
          blocks("down_attention"),
          blocks("up_attention"),
          ints("mid_attention", "flip_sin_to_cos", "linear_projection", "precision"),
          doubles("freq_shift", "norm_eps"));

  static final StructLayout VAE_CONFIG =
      struct(
          "motley_vae_config",
          longs("struct_size"),
          ints("in_channels", "out_channels", "latent_channels", "block_count"),
          ints("layers_per_block", "norm_groups"),
          blocks("block_channels"),
          ints("mid_attention", "quant_conv", "post_quant_conv", "precision"),
          doubles("scaling_factor"),
          ints("as_published", "reserved"));

  static final StructLayout DDIM_CONFIG =
      struct(
          "motley_ddim_config",
          longs("struct_size"),
          ints("train_timesteps", "steps_offset", "set_alpha_to_one", "beta_schedule"),
          doubles("beta_start", "beta_end"));

  static final StructLayout SAMPLE_PARAMS =
      struct(
          "motley_sample_params",
          longs("struct_size", "batch", "height", "width"),
          ints("steps", "clip_sample"),
          pointers("prompt", "negative", "guidance", "eta", "seed", "image_key", "latents"),
          pointers("noise", "progress", "user", "image"),
          ints("first_step", "as_published"),
          pointers("preview"));

  static final StructLayout CLASSIFIER_CONFIG =
      struct(
          "motley_classifier_config",
          longs("struct_size"),
          pointers("architecture"),
          ints("classes", "image_size", "precision", "stem"),
          doubles("dropout", "stochastic_depth"),
          longs("seed"));

  static final StructLayout TENSOR_INFO =
      struct(
          "motley_tensor_info",
          pointers("name"),
          ints("dtype", "dims", "trainable", "head"),
          sequenceLayout(MAX_DIMS, JAVA_LONG).withName("shape"));

  static final StructLayout NORMALISATION =
      struct(
          "motley_normalisation",
          sequenceLayout(3, JAVA_FLOAT).withName("mean"),
          sequenceLayout(3, JAVA_FLOAT).withName("std"));

  static final StructLayout TRAINER_CONFIG =
      struct(
          "motley_trainer_config",
          longs("struct_size"),
          ints("batch", "drop_last", "head_only", "reserved"),
          doubles("beta1", "beta2", "epsilon", "weight_decay", "label_smoothing"),
          doubles("crop_scale_min", "crop_scale_max", "crop_ratio_min", "crop_ratio_max", "flip", "rotation"),
          longs("resize", "held_out"),
          doubles("mixup", "ema_decay", "clip_norm"),
          ints("randaugment_ops", "randaugment_magnitude"),
          NORMALISATION.withName("normalisation"),
          longs("seed"));

  /** The type of motley_progress_fn. */
  @SuppressWarnings("restricted") // the struct is as large as the header says
  static final FunctionDescriptor PROGRESS_FN =
      FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS.withTargetLayout(PROGRESS));

  private static final Map<String, FunctionDescriptor> FUNCTIONS = functions();

  private Header() {}

  /** All functions by name, in the header's order. */
  static Map<String, FunctionDescriptor> allFunctions() {
    return FUNCTIONS;
  }

  /** The descriptor of a function, which must be in the table. */
  static FunctionDescriptor function(String name) {
    FunctionDescriptor descriptor = FUNCTIONS.get(name);
    if (descriptor == null) {
      throw new AssertionError("motley.h has no function " + name);
    }
    return descriptor;
  }

  /** Every named struct of the header. */
  static StructLayout[] structs() {
    return new StructLayout[] {
      ERROR,
      PROGRESS,
      RUNTIME_PARAMS,
      PEAKS,
      TEXT_CONFIG,
      VISION_CONFIG,
      UNET_CONFIG,
      VAE_CONFIG,
      DDIM_CONFIG,
      SAMPLE_PARAMS,
      CLASSIFIER_CONFIG,
      TENSOR_INFO,
      NORMALISATION,
      TRAINER_CONFIG
    };
  }

  /**
   * Descriptors are written as one letter per argument, in the header's order: {@code p} pointer,
   * {@code i} 32-bit integer, {@code l} 64-bit integer, {@code d} double; then {@code >} and the
   * result, {@code v} for none.
   */
  private static Map<String, FunctionDescriptor> functions() {
    String[][] table = {
      {"motley_api_version", ">i"},
      {"motley_runtime_initialize", "pp>i"},
      {"motley_runtime_configure", "iip>i"},
      {"motley_runtime_describe", "plp>i"},
      {"motley_live_bytes", ">l"},
      {"motley_pooled_bytes", ">l"},
      {"motley_trim", ">v"},
      {"motley_profile_start", ">v"},
      {"motley_profile_stop", ">v"},
      {"motley_profile_json", "plp>i"},
      {"motley_measure_peaks", "ipp>i"},
      {"motley_weights_create", "pp>i"},
      {"motley_weights_destroy", "p>v"},
      {"motley_weights_add", "ppiipplip>i"},
      {"motley_text_create", "pppp>i"},
      {"motley_text_destroy", "p>v"},
      {"motley_text_encode", "plppp>i"},
      {"motley_vision_create", "pppp>i"},
      {"motley_vision_destroy", "p>v"},
      {"motley_vision_encode", "plppp>i"},
      {"motley_unet_create", "pppp>i"},
      {"motley_unet_destroy", "p>v"},
      {"motley_unet_forward", "pllllppppp>i"},
      {"motley_vae_create", "pppp>i"},
      {"motley_vae_destroy", "p>v"},
      {"motley_vae_decode", "plllppp>i"},
      {"motley_vae_encode", "plllpppp>i"},
      {"motley_vae_decode_pixels", "plllpipppp>i"},
      {"motley_ddim_schedule", "pipppp>i"},
      {"motley_prompts_create", "pllppp>i"},
      {"motley_prompts_destroy", "p>v"},
      {"motley_sample", "pppppp>i"},
      {"motley_noise_philox", "llllpp>i"},
      {"motley_noise_torch", "lllpp>i"},
      {"motley_images_create", "lllpppp>i"},
      {"motley_images_destroy", "p>v"},
      {"motley_classifier_check", "ppp>i"},
      {"motley_classifier_create", "pppp>i"},
      {"motley_classifier_destroy", "p>v"},
      {"motley_classifier_tensors", "ppp>i"},
      {"motley_classifier_tensor", "plpp>i"},
      {"motley_classifier_read", "plplp>i"},
      {"motley_classifier_graph", "pplp>i"},
      {"motley_classifier_forward", "plpipp>i"},
      {"motley_classifier_evaluate", "ppllliippppp>i"},
      {"motley_trainer_create", "pppp>i"},
      {"motley_trainer_destroy", "p>v"},
      {"motley_trainer_run", "ppllldpppppp>i"},
      {"motley_trainer_step", "plppdppp>i"},
      {"motley_trainer_preview", "pplllppp>i"},
      {"motley_trainer_read", "pliplp>i"},
      {"motley_trainer_write", "pliplp>i"},
      {"motley_trainer_steps", "ppp>i"},
      {"motley_trainer_set_steps", "plp>i"},
    };
    var functions = new LinkedHashMap<String, FunctionDescriptor>();
    for (String[] row : table) {
      functions.put(row[0], descriptor(row[1]));
    }
    return Collections.unmodifiableMap(functions);
  }

  private static FunctionDescriptor descriptor(String signature) {
    int arrow = signature.indexOf('>');
    MemoryLayout[] arguments =
        signature.substring(0, arrow).chars().mapToObj(Header::type).toArray(MemoryLayout[]::new);
    char result = signature.charAt(arrow + 1);
    return result == 'v'
        ? FunctionDescriptor.ofVoid(arguments)
        : FunctionDescriptor.of(type(result), arguments);
  }

  private static MemoryLayout type(int letter) {
    return switch (letter) {
      case 'p' -> ADDRESS;
      case 'i' -> JAVA_INT;
      case 'l' -> JAVA_LONG;
      case 'd' -> JAVA_DOUBLE;
      default -> throw new AssertionError("no type " + (char) letter);
    };
  }

  /** Joins groups of fields, padded to the alignment of the widest field as C does. */
  private static StructLayout struct(String name, Object... groups) {
    var fields = new ArrayList<MemoryLayout>();
    long offset = 0;
    long alignment = 1;
    for (Object group : groups) {
      MemoryLayout[] members =
          group instanceof MemoryLayout[] many ? many : new MemoryLayout[] {(MemoryLayout) group};
      for (MemoryLayout member : members) {
        long gap = -offset & (member.byteAlignment() - 1);
        if (gap > 0) {
          fields.add(paddingLayout(gap));
        }
        fields.add(member);
        offset += gap + member.byteSize();
        alignment = Math.max(alignment, member.byteAlignment());
      }
    }
    long tail = -offset & (alignment - 1);
    if (tail > 0) {
      fields.add(paddingLayout(tail));
    }
    return structLayout(fields.toArray(MemoryLayout[]::new)).withName(name);
  }

  private static MemoryLayout[] ints(String... names) {
    return named(JAVA_INT, names);
  }

  private static MemoryLayout[] longs(String... names) {
    return named(JAVA_LONG, names);
  }

  private static MemoryLayout[] doubles(String... names) {
    return named(JAVA_DOUBLE, names);
  }

  private static MemoryLayout[] pointers(String... names) {
    return named(ADDRESS, names);
  }

  private static MemoryLayout blocks(String name) {
    return sequenceLayout(MAX_BLOCKS, JAVA_INT).withName(name);
  }

  private static MemoryLayout[] named(MemoryLayout type, String... names) {
    var members = new MemoryLayout[names.length];
    for (int i = 0; i < names.length; i++) {
      members[i] = type.withName(names[i]);
    }
    return members;
  }
}
