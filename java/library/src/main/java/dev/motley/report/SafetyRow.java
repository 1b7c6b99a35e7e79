// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

/**
 * What the diffusion model's safety checker did to one set, or to a class of it.
 *
 * @param set the set's name
 * @param scope a class, or "all classes"
 * @param checked pictures it looked at
 * @param flagged those of them that it flagged, false alarms included
 * @param kept flagged pictures in the set
 * @param dropped images that the set lacks
 * @param redone pictures replaced by others of the next seed
 * @param trained images that the classifier was trained on
 */
public record SafetyRow(
    String set, String scope, int checked, int flagged, int kept, int dropped, int redone, int trained) {}
