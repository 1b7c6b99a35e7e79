// SPDX-License-Identifier: Apache-2.0

/** Tests of the measurements against values computed by hand or taken from the literature. */
@NullMarked
package dev.motley.evaluate;

import org.jspecify.annotations.NullMarked;
