# What the toolchains have in common; each sets EVENKEEL_TRIPLET first. EVENKEEL_PREFIX is where the libraries are.
set(CMAKE_SYSTEM_NAME Windows)
if(NOT CMAKE_C_COMPILER)
  set(CMAKE_C_COMPILER ${EVENKEEL_TRIPLET}-gcc-win32)
  set(CMAKE_RC_COMPILER ${EVENKEEL_TRIPLET}-windres)
  set(CMAKE_MC_COMPILER ${EVENKEEL_TRIPLET}-windmc)
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES EVENKEEL_PREFIX)

# Nothing of the machine that compiles: neither its headers nor its libraries; its programs, though.
set(CMAKE_FIND_ROOT_PATH ${EVENKEEL_PREFIX} /usr/${EVENKEEL_TRIPLET})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_PREFIX_PATH ${EVENKEEL_PREFIX})
set(ENV{PKG_CONFIG_LIBDIR} ${EVENKEEL_PREFIX}/lib/pkgconfig)

# Windows Vista is the oldest with which nng works. printf as C17 has it, rather than as msvcrt.dll has: the compiler here
# would warn by the rules of the latter, and Linux's checks the same lines.
set(CMAKE_C_FLAGS_INIT
  "-D_WIN32_WINNT=0x0600 -D__USE_MINGW_ANSI_STDIO=1 -Wno-format -ffunction-sections -fdata-sections -ffile-prefix-map=${EVENKEEL_PREFIX}/../../src/=")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static -s -Wl,--gc-sections,--dynamicbase,--nxcompat,--no-insert-timestamp${EVENKEEL_LINKER_FLAGS}")
