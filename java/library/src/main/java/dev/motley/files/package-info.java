// SPDX-License-Identifier: Apache-2.0
/** Files that appear whole or not at all, and what the system says when they cannot. Knows nothing of what is in them. */
@NullMarked
package dev.motley.files;

import org.jspecify.annotations.NullMarked;
