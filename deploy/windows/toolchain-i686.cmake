# Windows on 32-bit x86, by Debian's mingw-w64.
set(CMAKE_SYSTEM_PROCESSOR i686)
set(EVENKEEL_TRIPLET i686-w64-mingw32)
set(EVENKEEL_LINKER_FLAGS ",--large-address-aware") # 4 GiB rather than 2 on 64-bit Windows
include(${CMAKE_CURRENT_LIST_DIR}/toolchain.cmake)
