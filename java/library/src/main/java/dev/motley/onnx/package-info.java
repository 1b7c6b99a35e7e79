// SPDX-License-Identifier: Apache-2.0

/** Trained classifiers as ONNX files, which other runtimes read. */
@NullMarked
package dev.motley.onnx;

import org.jspecify.annotations.NullMarked;
