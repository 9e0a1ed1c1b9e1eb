"""A TCP proxy between collectors and an aggregator that knows nng's framing, so that it can cut, repeat, hold back and
exchange whole messages. Part of tests/integration/faults.

On the wire (SP over TCP): each side first sends 8 bytes, 00 'S' 'P' 00, its protocol's number, 00 00. Then every message
is its length in 8 bytes, big-endian, and that many bytes; of REQ and REP the first four are the request's number."""

import asyncio
import collections

HELLO = 8
REQUESTER = b"\0SP\0\0\x30\0\0"
MESSAGE_MAXIMUM = 4 << 20
REMEMBERED = 4000  # requests, from which old ones are sent again
ANSWERS = {1: "enrolled", 2: "accepted", 3: "want", 4: "refused", 5: "busy"}  # of Reply, by the field's number


class Traffic:
    """What all proxies share: faults that wait for a message, requests seen, and what became of those sent again."""

    def __init__(self, random, count):
        self.random = random
        self.count = count  # called with a fault's name when it happens
        self.armed = collections.Counter()
        self.requests = collections.deque(maxlen=REMEMBERED)
        self.answers = collections.Counter()
        self.messages = 0
        self.errands = set()

    def take(self, *names):
        """The first of these faults that waits; it no longer does."""
        for name in names:
            if self.armed[name] > 0:
                self.armed[name] -= 1
                self.count(name)
                return name
        return None

    def later(self, coroutine):
        task = asyncio.ensure_future(coroutine)
        self.errands.add(task)
        task.add_done_callback(self.errands.discard)


async def read_message(reader):
    """One message with its length, or None at the end."""
    try:
        head = await reader.readexactly(8)
        length = int.from_bytes(head, "big")
        if length > MESSAGE_MAXIMUM:
            return None
        return head + await reader.readexactly(length)
    except (asyncio.IncompleteReadError, OSError):
        return None


class Proxy:
    def __init__(self, traffic, upstream):
        self.traffic = traffic
        self.upstream = upstream  # port of the aggregator
        self.port = None
        self.server = None
        self.links = set()
        self.silent = asyncio.Event()
        self.silent.set()  # cleared: nothing passes

    async def open(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port or 0, backlog=1000)
        self.port = self.server.sockets[0].getsockname()[1]

    async def close(self):
        """From now on connections are refused, and those that stand end."""
        self.server.close()
        self.cut_all()

    def cut_all(self):
        for writer in list(self.links):
            writer.transport.abort()

    async def serve(self, reader, writer):
        up_writer = None
        self.links.add(writer)
        try:
            await self.silent.wait()
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
            pumps = [asyncio.ensure_future(self.pump(reader, up_writer, self.request)),
                     asyncio.ensure_future(self.pump(up_reader, writer, self.answer))]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        except OSError:
            pass  # the aggregator is not there
        finally:
            self.links.discard(writer)
            writer.transport.abort()
            if up_writer is not None:
                up_writer.transport.abort()

    async def pump(self, reader, writer, handle):
        """Passes one direction on, until it ends or a fault ends it."""
        try:
            writer.write(await reader.readexactly(HELLO))
            while True:
                message = await read_message(reader)
                if message is None:
                    return
                await self.silent.wait()
                self.traffic.messages += 1
                if not await handle(message, writer):
                    return
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            return

    async def cut(self, message, writer):
        """A part of the message still arrives."""
        part = message[:self.traffic.random.randrange(len(message))]
        writer.write(part)
        try:
            await asyncio.wait_for(writer.drain(), 1)
        except asyncio.TimeoutError:
            pass
        await asyncio.sleep(0.02)  # so that it leaves before the connection is reset
        return False

    async def request(self, message, writer):
        traffic = self.traffic
        traffic.requests.append(message)
        fault = traffic.take("request cut", "request repeated", "request reordered")
        if fault == "request cut":
            return await self.cut(message, writer)
        if fault == "request reordered":  # it arrives after those that the collector sends in its place
            traffic.later(self.send_again([message], traffic.random.uniform(0.2, 8)))
            return False
        writer.write(message + message if fault else message)
        return True

    async def answer(self, message, writer):
        traffic = self.traffic
        fault = traffic.take("answer cut", "answer repeated", "answer late")
        if fault == "answer cut":
            return await self.cut(message, writer)
        if fault == "answer late":
            await asyncio.sleep(traffic.random.uniform(0.5, 8))
        writer.write(message + message if fault == "answer repeated" else message)
        return True

    async def send_again(self, messages, pause=0):
        """Requests of before, by connections of the proxy's own, as one would who recorded them."""
        await asyncio.sleep(pause)
        for message in messages:
            self.traffic.answers[await self.ask(message)] += 1

    async def ask(self, message):
        """The kind of answer that a request gets; 'none' where the aggregator is away."""
        writer = None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
            writer.write(REQUESTER + message)
            await asyncio.wait_for(reader.readexactly(HELLO), 10)
            answer = await asyncio.wait_for(read_message(reader), 10)
            return ANSWERS.get(answer[12] >> 3, "other") if answer is not None and len(answer) > 12 else "none"
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
            return "none"
        finally:
            if writer is not None:
                writer.transport.abort()
