// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import java.nio.file.Path;
import java.util.List;

/**
 * What the native core runs on.
 *
 * @param apiVersion version of {@code motley.h} that the library speaks, for example 1.0
 * @param library the {@code libmotley.so} that was loaded
 * @param libtorchVersion version of libtorch's stable C ABI
 * @param libtorchFolder where libtorch was loaded from
 * @param cpu the processor's own name
 * @param cpuFeatures the instruction sets it has that the kernels know
 * @param isa the instruction set in use
 * @param threads compute threads
 * @param architectures the classifiers it knows
 * @param cuda the CUDA devices, or why there are none
 */
public record NativeInfo(
    String apiVersion,
    Path library,
    String libtorchVersion,
    Path libtorchFolder,
    String cpu,
    String cpuFeatures,
    String isa,
    int threads,
    List<String> architectures,
    String cuda) {}
