// SPDX-License-Identifier: Apache-2.0

/** Tests of the command line. */
@NullMarked
package dev.motley.cli;

import org.jspecify.annotations.NullMarked;
