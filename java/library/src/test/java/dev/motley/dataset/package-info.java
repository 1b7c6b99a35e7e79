// SPDX-License-Identifier: Apache-2.0

/** Tests of datasets. */
@NullMarked
package dev.motley.dataset;

import org.jspecify.annotations.NullMarked;
