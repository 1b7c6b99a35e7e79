// SPDX-License-Identifier: Apache-2.0

/**
 * Single pictures: RGB bytes, reading PNG and JPEG, writing PNG with text chunks, and resizing as
 * torch and Pillow do it.
 */
@NullMarked
package dev.motley.image;

import org.jspecify.annotations.NullMarked;
