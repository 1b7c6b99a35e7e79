// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.motley.benchmarks.Ratios.Pair;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class RatiosTest {

  private static final String RESULT =
      """
      [{"benchmark": "a.B.%s", "params": {"guidance": "7.5"},
        "primaryMetric": {"rawData": [[%s]]}}]
      """;

  private static JsonNode result(String side, String scores) throws IOException {
    return new ObjectMapper().readTree(RESULT.formatted(side, scores));
  }

  @Test
  void ratioIsOfMediansRoundByRound() throws IOException {
    Map<String, Pair> pairs = new TreeMap<>();
    Ratios.collect(result("motley", "3, 4, 100"), pairs);
    Ratios.collect(result("eager", "2, 1, 2"), pairs);
    Ratios.collect(result("motley", "1, 2"), pairs);
    Ratios.collect(result("eager", "1"), pairs);
    assertThat(pairs).containsOnlyKeys("7.5");
    assertThat(pairs.get("7.5").ratios()).containsExactly(2.0, 1.5);
    assertThat(Pair.overall(pairs.get("7.5").theirs())).isEqualTo(1.5);
  }

  @Test
  void secondsAreTurnedIntoSpeedsAndCpuTimeGoesFirst() throws IOException {
    String seconds =
        """
        [{"benchmark": "a.B.%s", "mode": "ss", "params": {"architecture": "vit_b", "format": "x"},
          "primaryMetric": {"rawData": [[%s]]}, "secondaryMetrics": {%s}}]
        """;
    ObjectMapper mapper = new ObjectMapper();
    Map<String, Pair> pairs = new TreeMap<>();
    Ratios.collect(mapper.readTree(seconds.formatted("motley", "0.5, 0.25", "")), pairs);
    String cpu = "\"cpu\": {\"rawData\": [[2]]}";
    Ratios.collect(mapper.readTree(seconds.formatted("eager", "9", cpu)), pairs);
    assertThat(pairs).containsOnlyKeys("vit_b");
    assertThat(pairs.get("vit_b").ours()).containsExactly(List.of(2.0, 4.0));
    assertThat(pairs.get("vit_b").theirs()).containsExactly(List.of(0.5));
  }

  @Test
  void refusesWhatBelongsToNeitherSide() throws IOException {
    JsonNode stray = result("other", "1");
    assertThatThrownBy(() -> Ratios.collect(stray, new TreeMap<>()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a.B.other");
  }

  @Test
  void soakNamesWhatGrew() {
    long mib = 1L << 20;
    List<Soak.Sample> flat =
        List.of(
            new Soak.Sample(50, 300 * mib, 9, 5),
            new Soak.Sample(100, 310 * mib, 9, 5),
            new Soak.Sample(150, 309 * mib, 9, 5),
            new Soak.Sample(200, 311 * mib, 9, 5));
    assertThat(Soak.faults(flat, 0)).isEmpty();
    assertThat(Soak.faults(flat, 7)).singleElement().asString().contains("left");
    List<Soak.Sample> growing =
        List.of(
            flat.get(0),
            flat.get(1),
            new Soak.Sample(150, 320 * mib, 9, 5),
            new Soak.Sample(200, 340 * mib, 10, 6));
    assertThat(Soak.faults(growing, 0))
        .hasSize(3)
        .anyMatch(fault -> fault.startsWith("resident set grew"))
        .anyMatch(fault -> fault.startsWith("live native bytes grew"))
        .anyMatch(fault -> fault.startsWith("pooled native bytes grew"));
  }
}
