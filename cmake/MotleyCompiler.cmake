# SPDX-License-Identifier: Apache-2.0
# Warnings are errors; sanitizers by -DMOTLEY_SANITIZE=address,undefined.
set(MOTLEY_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined")

function(motley_compiler_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Werror -fno-math-errno -fno-trapping-math)
  if(MOTLEY_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${MOTLEY_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${MOTLEY_SANITIZE})
  endif()
endfunction()
