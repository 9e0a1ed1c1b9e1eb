# Windows on ARM64, by Debian's clang and lld, with headers and libraries of mingw-w64 that deploy/windows/build has made.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(EVENKEEL_TRIPLET aarch64-w64-mingw32)
set(CMAKE_C_COMPILER clang)
set(CMAKE_C_COMPILER_TARGET ${EVENKEEL_TRIPLET})
get_filename_component(CMAKE_SYSROOT ${EVENKEEL_PREFIX}/../sysroot ABSOLUTE)
find_program(CMAKE_AR llvm-ar REQUIRED)
find_program(CMAKE_RANLIB llvm-ranlib REQUIRED)
find_program(CMAKE_RC_COMPILER NAMES llvm-windres llvm-windres-14 llvm-windres-16 PATHS /usr/lib/llvm-14/bin REQUIRED)
set(CMAKE_RC_FLAGS_INIT "--target=${EVENKEEL_TRIPLET} -I${CMAKE_SYSROOT}/${EVENKEEL_TRIPLET}/include")
set(CMAKE_MC_COMPILER x86_64-w64-mingw32-windmc) # what it makes is of no machine
set(EVENKEEL_LINKER_FLAGS " -fuse-ld=lld")
include(${CMAKE_CURRENT_LIST_DIR}/toolchain.cmake)
