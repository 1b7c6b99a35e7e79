// SPDX-License-Identifier: Apache-2.0
/**
 * Text to pictures: a latent diffusion model as one object, with guidance, seed and prompt per image. Beside it what looks at pictures
 * (the image encoder and the safety checker), the texts in PNG files that tell how a picture was made, and the converter of models between
 * layouts. Built on the native core ({@code dev.motley.ffi}), the checkpoint reader ({@code dev.motley.weights}) and the tokenizer ({@code
 * dev.motley.text}).
 */
@NullMarked
package dev.motley.diffusion;

import org.jspecify.annotations.NullMarked;
