// SPDX-License-Identifier: Apache-2.0

/** What tests of every module share. Never on the classpath of the library itself. */
@NullMarked
package dev.motley.testing;

import org.jspecify.annotations.NullMarked;
