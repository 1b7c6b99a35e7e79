// SPDX-License-Identifier: Apache-2.0

/** The command line: options, progress and exit codes over the library, and nothing else. */
@NullMarked
package dev.motley.cli;

import org.jspecify.annotations.NullMarked;
