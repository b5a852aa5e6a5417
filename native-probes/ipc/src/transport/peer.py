"""The peer process in Python: checks every message, answers it, and reports. Arguments: socket or http, the descriptor of the
connection, ping-pong or stream, the length of a message."""

import signal
import socket
import struct
import sys

WORD = struct.Struct("=Q")
REPORT = struct.Struct("=8s4Q")
LAST, QUERY, STOP = 1 << 63, 1 << 62, 1 << 61
SEQUENCE = (1 << 60) - 1
ALL_BITS = (1 << 64) - 1
VARIANTS = 3


def pattern(state, length):
    """The bytes of one variant of one direction, as a splitmix64 sequence."""
    words = bytearray()
    while len(words) < length:
        state = (state + 0x9E3779B97F4A7C15) & ALL_BITS
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & ALL_BITS
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & ALL_BITS
        words += (mixed ^ (mixed >> 31)).to_bytes(8, "little")
    return bytes(words[8:length])


class Peer:
    """What was seen so far, and what is answered."""

    def __init__(self, streams, length):
        self.streams = streams
        self.expected = [pattern(variant, length) for variant in range(VARIANTS)]
        self.answers = [pattern(variant + VARIANTS, length) for variant in range(VARIANTS)]
        self.messages = self.mismatches = self.digest = 0

    def take(self, message):
        """The answer to a message: bytes, nothing, or False to end."""
        (word,) = WORD.unpack_from(message)
        if word == STOP:
            return False
        if word == QUERY:
            return self.report()
        sequence = self.messages
        variant = sequence % VARIANTS
        if word & SEQUENCE != sequence or message[8:] != self.expected[variant]:
            self.mismatches += 1
        self.messages += 1
        rotated = (self.digest << 5 | self.digest >> 59) & ALL_BITS
        self.digest = (rotated * 0x9E3779B97F4A7C15 & ALL_BITS) ^ word
        if not self.streams:
            return WORD.pack(sequence) + self.answers[variant]
        return self.report() if word & LAST else b""

    def report(self):
        with open("/proc/self/stat", "rb") as stat:
            cpu = int(stat.read().rpartition(b")")[2].split()[36])
        return REPORT.pack(b"bh-ipc-r", self.messages, self.mismatches, self.digest, cpu)


def serve_socket(connection, peer, length):
    while True:
        message = connection.recv(length, socket.MSG_WAITALL)
        if len(message) < length:
            return
        answer = peer.take(message)
        if answer is False:
            return
        if answer:
            connection.sendall(answer)


def serve_http(connection, peer):
    import base64
    import json
    from http.server import BaseHTTPRequestHandler

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        # The head and the body of an answer leave together.
        wbufsize = -1

        def do_POST(self):
            length = int(self.headers["Content-Length"])
            request = json.loads(self.rfile.read(length))
            answer = peer.take(base64.b64decode(request["payload"], validate=True))
            if answer is False:
                self.close_connection = True
                return
            body = json.dumps({"payload": base64.b64encode(answer).decode("ascii")}).encode("ascii")
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    Handler(connection, connection.getpeername(), None)


def main():
    # The parent ends it, also when the terminal interrupts both.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kind, descriptor, scenario, length = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    connection = socket.socket(fileno=descriptor)
    peer = Peer(scenario == "stream", length)
    try:
        if kind == "http":
            serve_http(connection, peer)
        else:
            serve_socket(connection, peer, length)
    except (BrokenPipeError, ConnectionResetError):
        pass


main()
