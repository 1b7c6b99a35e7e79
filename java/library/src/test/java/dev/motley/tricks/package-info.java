// SPDX-License-Identifier: Apache-2.0

/** Tests of class lists, prompts and plans. */
@NullMarked
package dev.motley.tricks;

import org.jspecify.annotations.NullMarked;
