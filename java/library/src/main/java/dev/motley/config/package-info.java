// SPDX-License-Identifier: Apache-2.0
/**
 * Strict reading of configuration: parsed YAML or JSON trees whose every key must be known, and names looked up with the nearest
 * offered. Knows nothing of what the values mean.
 */
@NullMarked
package dev.motley.config;

import org.jspecify.annotations.NullMarked;
