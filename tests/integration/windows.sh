# What the windows-* tests share; sourced behind lib.sh. The cross build and one Wine prefix, made once per build folder.
# Only one of these tests runs at a time (tests/CMakeLists.txt).

WINDOWS=$BUILD/windows
EXE=$WINDOWS/x86_64/evenkeel-collector.exe
EXE32=$WINDOWS/i686/evenkeel-collector.exe
export WINEPREFIX=$WINDOWS/prefix WINEDEBUG=-all WINEDLLOVERRIDES='mscoree=d;mshtml=d;winemenubuilder.exe=d'
DRIVE=$WINEPREFIX/drive_c
unset DISPLAY

for program in wine wixl msiinfo x86_64-w64-mingw32-gcc i686-w64-mingw32-gcc; do
  command -v "$program" >/dev/null || fail "$program is missing: deploy/install-packages tests/packages"
done
mkdir -p "$WINDOWS"
BUILD_MORE=${BUILD_MORE:-} # further options of the build
"$SOURCE/deploy/windows/build" --out "$WINDOWS" --cache "$WINDOWS/cache" $BUILD_MORE >"$SCRATCH/cross.log" 2>&1 ||
  fail "the cross build failed"
if [ ! -e "$WINEPREFIX/made" ]; then
  rm -rf "$WINEPREFIX"
  wine wineboot --init >"$SCRATCH/wineboot.log" 2>&1 || fail "Wine makes no prefix"
  wineserver --wait
  touch "$WINEPREFIX/made"
fi
trap 'status=$?; set +e; wineserver --kill 2>/dev/null; (exit $status); stop_all' EXIT

# wine_run COMMAND [ARGUMENT...]
wine_run() {
  wine "$@"
}

win() {
  wine "$EXE" "$@"
}

# Wine ends its services with the last program of the user, and starts Windows anew with the next: one that waits for a
# line keeps it running.
wine_stays() {
  rm -f "$SCRATCH/line"
  mkfifo "$SCRATCH/line"
  wine cmd /c 'set /p line=' <>"$SCRATCH/line" >/dev/null 2>&1 &
}

# tests/fixtures/windows-look.c
look_build() {
  x86_64-w64-mingw32-gcc -municode -O1 -s -o "$SCRATCH/look.exe" "$SOURCE/tests/fixtures/windows-look.c" -ladvapi32
}

look() {
  wine "$SCRATCH/look.exe" "$@"
}

# What a test that failed has left in the prefix would start with it.
win service remove >"$SCRATCH/left.log" 2>&1 || grep -q 'there is none' "$SCRATCH/left.log" || fail "what a test left can't be removed"
rm -rf "$DRIVE/ProgramData/Evenkeel"

# A path of this machine as Wine's programs see it.
windows_path() {
  printf 'Z:%s' "${1//\//\\}"
}
