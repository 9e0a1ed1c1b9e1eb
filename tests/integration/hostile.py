"""Clients that hold up an aggregator, or try to: hostile.py KIND PORT COUNT [HEX].

  unread     COUNT connections that ask (bytes that are refused with a sentence) and never read an answer
  half       COUNT connections that say nothing but HEX
  partial    COUNT connections that greet, announce a large message, and send the half of it
  drip       COUNT connections that greet and then send a message byte by byte, one each second
  http       COUNT connections that ask for a page over and over and never read

Those that are closed come again. Runs until it is ended. Says 'ready' once all have done the worst that they can, and a line
whenever some were closed."""

import errno
import select
import socket
import sys
import time

HELLO = b"\0SP\0\0\x30\0\0"  # nng: of a REQ peer
LARGE = 2_000_000


def message(number):
    body = (0x80000000 | number & 0x7FFFFFFF).to_bytes(4, "big") + b"\x08\x02"  # an envelope of a version that is not known
    return len(body).to_bytes(8, "big") + body


class Client:
    def __init__(self, kind, port, first):
        self.socket = socket.socket()
        if kind in ("unread", "http"):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.kind, self.sent, self.left, self.next = kind, 0, first, time.monotonic()

    def refill(self):
        """More to send, where this kind has more."""
        if self.left or self.kind == "half":
            return
        if self.kind == "unread":
            self.left = b"".join(message(self.sent + i) for i in range(200))
        elif self.kind == "http":
            self.left = b""
        elif self.kind == "drip" and time.monotonic() >= self.next:
            self.left = b"x"
            self.next = time.monotonic() + 1

    def push(self):
        """Sends what goes; False once the other side has closed."""
        self.refill()
        try:
            while self.left:
                sent = self.socket.send(self.left)
                self.sent += sent
                self.left = self.left[sent:]
                self.refill()
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True

    def is_closed(self):
        """Without reading anything."""
        poll = select.poll()
        poll.register(self.socket, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        return bool(poll.poll(0))


def main(kind, port, count, more=""):
    first = {"half": bytes.fromhex(more), "unread": HELLO, "partial": HELLO + LARGE.to_bytes(8, "big") + b"x" * (LARGE // 2),
             "drip": HELLO + LARGE.to_bytes(8, "big"), "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000}[kind]  # fmt: skip
    clients, closed, failed, ready = [], 0, 0, False
    while True:
        while len(clients) < count:
            try:
                clients.append(Client(kind, port, first))
            except OSError as error:
                if error.errno == errno.ECONNREFUSED:
                    return
                failed += 1
                break
        before = sum(client.sent for client in clients)
        gone = [client for client in clients if not client.push() or client.is_closed()]
        for client in gone:
            client.socket.close()
            clients.remove(client)
        if gone:
            closed += len(gone)
            print(f"closed {closed} failed {failed}", flush=True)
        stuck = sum(client.sent for client in clients) == before
        if not ready and (stuck or gone):
            ready = True
            print("ready", flush=True)
        time.sleep(0.02)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
