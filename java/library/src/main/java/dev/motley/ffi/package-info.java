// SPDX-License-Identifier: Apache-2.0

/**
 * The one door to native code: finds and loads {@code libmotley.so} and libtorch, binds the
 * functions of {@code motley.h}, and wraps each of its handles in a class whose methods take and
 * return plain Java types.
 *
 * <p>Each {@code Native*} class owns one native handle: close it, once or more often. Its methods
 * may be called from any thread; calls on one handle wait for each other. Sizes are checked before
 * each call, so that a wrong one is an {@link dev.motley.InvalidInputException} naming both sizes,
 * and never a wild read. Arrays are dense and row-major, shapes are given slowest first.
 *
 * <p>System properties: {@code motley.library.path} (a {@code libmotley.so}, or its folder), {@code
 * motley.libtorch} (the folder of {@code libtorch_cpu.so}), {@code motley.threads}, {@code
 * motley.isa} (auto, scalar, avx2, avx512, avx512_bf16 or amx), {@code motley.cache} (where libraries are unpacked),
 * {@code motley.trackLeaks} (log where handles that were never closed were created).
 */
@NullMarked
package dev.motley.ffi;

import org.jspecify.annotations.NullMarked;
