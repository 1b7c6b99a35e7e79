// SPDX-License-Identifier: Apache-2.0

/** Tests of pictures. */
@NullMarked
package dev.motley.image;

import org.jspecify.annotations.NullMarked;
