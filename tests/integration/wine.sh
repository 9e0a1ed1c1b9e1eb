# Sourced first by tests that run Wine. Its loader lies at 0x7d000000 and must have the page 0x7ffe0000 free, which is that of Windows'
# shared user data. Since Linux 6.9 a program's heap may begin up to 1 GiB behind it, and so lies on that page at one start in
# three thousand ("failed to map the shared user data"): no heap wanders here, where the system lets us say so.
if [ -z "${WINE_HEAP_STAYS:-}" ] && setarch --addr-no-randomize true 2>/dev/null; then
  WINE_HEAP_STAYS=yes exec setarch --addr-no-randomize "$0" "$@"
fi
