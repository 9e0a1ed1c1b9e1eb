"""A collector and an aggregator of version 0.1.0 at schema 8, as far as their partners can tell: older_programs.py WHICH PORT FILE.

  collector PORT FILE    enrols and sends what FILE holds (fixtures/older/collector), twice; prints each answer in a line
  aggregator PORT FILE   answers each request with the line of FILE (fixtures/older/aggregator) for its kind; until it is ended

Messages are written by hand with the numbers that fields had then, so that no later change of evenkeel.proto changes them."""

import ctypes
import hashlib
import os
import socket
import struct
import sys
import time

HELLO_OF_REQUESTS, HELLO_OF_REPLIES = b"\0SP\0\0\x30\0\0", b"\0SP\0\0\x31\0\0"
SIGNED = b"evenkeel request 1\0"
ENROLL, OFFER, GIVE = 1, 2, 3
INVENTORY, FACTS, TIMES = 3, 4, 5


def number(value):
    packed = b""
    while value > 127:
        packed += bytes([value & 127 | 128])
        value >>= 7
    return packed + bytes([value])


def field(place, value):
    """One field, left out where it holds the default."""
    if not value:
        return b""
    if isinstance(value, int):
        return number(place << 3) + number(value)
    return number(place << 3 | 2) + number(len(value)) + value


def fields(message):
    """Each field of a message: its number, and the number or bytes that it holds."""

    def take():
        nonlocal at
        value = shift = 0
        while True:
            value |= (message[at] & 127) << shift
            shift, at = shift + 7, at + 1
            if message[at - 1] < 128:
                return value

    at = 0
    while at < len(message):
        tag = take()
        value = take()
        if tag & 7 == 2:
            value, at = message[at : at + value], at + value
        yield tag >> 3, value


def digest(body):
    return hashlib.blake2b(body, digest_size=32).digest()


def read(name):
    """What a file holds under each of its headings, in order: (words, bytes)."""
    held = []
    for line in open(name, encoding="ascii"):
        if line.startswith(" "):
            held[-1] = held[-1][0], held[-1][1] + bytes.fromhex(line.strip())
        elif not line.startswith("#"):
            held.append((line.split(), b""))
    return held


class Key:
    def __init__(self):
        self.sodium = ctypes.CDLL("libsodium.so.23")
        self.public, self.secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(64)
        self.sodium.crypto_sign_seed_keypair(self.public, self.secret, os.urandom(32))

    def seal(self, payload):
        state, signature = ctypes.create_string_buffer(self.sodium.crypto_sign_statebytes()), ctypes.create_string_buffer(64)
        self.sodium.crypto_sign_init(state)
        for part in (SIGNED, payload):
            self.sodium.crypto_sign_update(state, part, ctypes.c_ulonglong(len(part)))
        self.sodium.crypto_sign_final_create(state, signature, None, self.secret)
        return field(1, 1) + field(2, self.public.raw) + field(3, signature.raw) + field(4, payload)


class Wire:
    """Messages of nng over one connection, each with the four bytes that tell requests apart."""

    def __init__(self, connection, hello):
        self.connection = connection
        connection.sendall(hello)
        self.take(8)

    def take(self, count):
        got = b""
        while len(got) < count:
            part = self.connection.recv(count - len(got))
            if not part:
                raise EOFError
            got += part
        return got

    def receive(self):
        body = self.take(struct.unpack(">Q", self.take(8))[0])
        return body[:4], body[4:]

    def send(self, mark, body):
        self.connection.sendall(struct.pack(">Q", len(body) + 4) + mark + body)


def collector(port, name):
    held = read(name)
    enroll = next(body for words, body in held if words == ["enroll"])
    objects = [(int(words[1]), body) for words, body in held if words[0] == "object"]
    named = {kind: digest(body) for kind, body in objects}
    key, wire = Key(), Wire(socket.create_connection(("127.0.0.1", port), timeout=60), HELLO_OF_REQUESTS)
    marks = next(value for place, value in fields(enroll) if place == 3)

    def ask(kind, body):
        wire.send(b"\x80\0\0\1", key.seal(field(kind, body)))
        return next(fields(wire.receive()[1]))

    answer, body = ask(ENROLL, enroll + field(4, int(time.time() * 1e6)))
    assert answer == 1, (answer, body)
    host = dict(fields(body))[1]
    print("enrolled", flush=True)
    for sequence in (1, 2):
        offer = (field(1, host) + field(2, sequence) + field(3, named[INVENTORY]) + field(4, named[FACTS]) + field(5, named[TIMES])
                 + field(6, int(time.time() * 1e6)) + field(7, digest(marks)))  # fmt: skip
        answer, body = ask(OFFER, offer)
        while answer == 3:
            wanted = b"".join(dict(fields(w)).get(2, b"") for place, w in fields(body) if place == 1)
            given = [(kind, o) for kind, o in objects + [(6, marks)] if digest(o) in [wanted[i : i + 32] for i in range(0, len(wanted), 32)]]
            assert given, wanted
            answer, body = ask(GIVE, field(1, offer) + b"".join(field(2, field(1, kind) + field(2, o)) for kind, o in given))
        says = dict(fields(body))
        print("accepted " + ("changed" if says.get(2) else "unchanged") if answer == 2 else f"refused {says}")


def aggregator(port, name):
    answers = {words[0]: body for words, body in read(name)}
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        try:
            wire = Wire(connection, HELLO_OF_REPLIES)
            while True:
                mark, sealed = wire.receive()
                kind = next(fields(dict(fields(sealed))[4]))[0]
                wire.send(mark, answers["enroll" if kind == ENROLL else "snapshot"])
        except (EOFError, OSError):
            connection.close()


{"collector": collector, "aggregator": aggregator}[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
