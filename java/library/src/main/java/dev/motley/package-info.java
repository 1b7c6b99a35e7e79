// SPDX-License-Identifier: Apache-2.0

/**
 * What every other package may use: the exceptions Motley throws and the version it carries.
 *
 * <p>The packages below it form floors, each using only those before it: {@code files}, {@code
 * config}, {@code ffi} (the native core and libtorch), {@code weights}, {@code text}, {@code
 * diffusion}, {@code tricks}, {@code dataset}, {@code train}, {@code evaluate}, {@code report},
 * {@code run}.
 */
@NullMarked
package dev.motley;

import org.jspecify.annotations.NullMarked;
