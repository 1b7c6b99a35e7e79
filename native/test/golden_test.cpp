// SPDX-License-Identifier: Apache-2.0
#include "support/golden.h"

#include <doctest/doctest.h>

using namespace motley;

TEST_CASE("the fill rule gives the values of the generator of the goldens") {
  const auto g = test::Golden("optimizer");
  const auto w = test::fill_input("adamw.w", {64});
  CHECK(w == g.values("w0"));
  const auto bias = test::fill("unet.conv_in.bias", {4});
  CHECK(bias.size() == 4);
  for (float x : bias) CHECK(std::abs(x) <= 0.05f);
}

TEST_CASE("JSON of the goldens is read") {
  const auto json = test::parse_json(R"({"a": [1, -2.5e3, true, null], "b": {"c": "x\ny"}})");
  CHECK(json["a"][1].number == -2500);
  CHECK(json["a"][2].number == 1);
  CHECK(json["b"]["c"].text == "x\ny");
  CHECK_THROWS_AS(test::parse_json("{\"a\": }"), Error);
  CHECK_THROWS_AS(json["missing"], Error);
}
