// SPDX-License-Identifier: Apache-2.0

/** Tests of the report on data like that of a real run. */
@NullMarked
package dev.motley.report;

import org.jspecify.annotations.NullMarked;
