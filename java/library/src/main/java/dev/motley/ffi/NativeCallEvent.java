// SPDX-License-Identifier: Apache-2.0
package dev.motley.ffi;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A call into the native core, for Java Flight Recorder. Costs nothing until it is enabled. */
@Name("dev.motley.NativeCall")
@Label("Native call")
@Category("Motley")
@Description("Time inside the native core, with the progress callbacks it makes")
@Enabled(false)
@StackTrace(false)
final class NativeCallEvent extends Event {}
