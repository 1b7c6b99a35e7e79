// SPDX-License-Identifier: Apache-2.0
// Native tests. libtorch comes from MOTLEY_LIBTORCH (a folder with libtorch_cpu.so), by default build/libtorch beside
// the build tree.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

#include "motley.h"

int main(int argc, char** argv) {
  const char* directory = std::getenv("MOTLEY_LIBTORCH");
  motley_runtime_params params{sizeof(motley_runtime_params), directory ? directory : MOTLEY_DEFAULT_LIBTORCH, 0, MOTLEY_ISA_AUTO};
  motley_error error;
  if (motley_runtime_initialize(&params, &error) != MOTLEY_OK) {
    std::fprintf(stderr, "%s\n(set MOTLEY_LIBTORCH to a folder with libtorch_cpu.so)\n", error.message);
    return 2;
  }
  doctest::Context context(argc, argv);
  return context.run();
}
