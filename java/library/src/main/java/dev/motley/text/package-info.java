// SPDX-License-Identifier: Apache-2.0

/**
 * Prompts to token ids: CLIP's byte-level byte-pair tokenizer in plain Java, with vocabulary,
 * merges and special tokens read from the model's own files.
 */
@NullMarked
package dev.motley.text;

import org.jspecify.annotations.NullMarked;
