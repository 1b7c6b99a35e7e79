// SPDX-License-Identifier: Apache-2.0

/** The rules between packages, checked on the compiled classes. */
@NullMarked
package dev.motley.architecture;

import org.jspecify.annotations.NullMarked;
