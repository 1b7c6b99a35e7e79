# SPDX-License-Identifier: Apache-2.0
# Each *.simd.cpp is compiled once per instruction set, into a namespace of that name; isa.h chooses at run time.
set(MOTLEY_ISA_FLAGS_scalar "")
set(MOTLEY_ISA_FLAGS_avx2 -mavx2 -mfma -mf16c -mtune=generic)
set(MOTLEY_ISA_FLAGS_avx512 -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512 -mtune=skylake-avx512)

# Only namespace MOTLEY_ISA may be defined in such a file: an inline function shared with other files could be taken by
# the linker from the build for another instruction set. (Objects of the lower sets come first, as a second line of defence.)
function(motley_add_simd_sources target)
  if(NOT ARGN)
    return()
  endif()
  foreach(isa scalar avx2 avx512)
    add_library(${target}_${isa} OBJECT ${ARGN})
    target_include_directories(${target}_${isa} PRIVATE include src)
    target_compile_definitions(${target}_${isa} PRIVATE MOTLEY_ISA=${isa})
    motley_compiler_options(${target}_${isa})
    # aligned: a register tile's loop costs up to 4 % more or less by where the linker happens to put it
    target_compile_options(${target}_${isa} PRIVATE -O3 -falign-functions=64 -falign-loops=64 -fno-signed-zeros -Wno-psabi ${MOTLEY_ISA_FLAGS_${isa}})
    target_sources(${target} INTERFACE $<TARGET_OBJECTS:${target}_${isa}>)
  endforeach()
endfunction()
