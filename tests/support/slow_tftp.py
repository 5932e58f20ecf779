#!/usr/bin/python3
"""A TFTP client that takes its time: it waits before each ACK, so that a transfer lasts as long as a test needs.

Usage: slow_tftp.py SERVER PATH SECONDS_PER_BLOCK    prints "began" after the first block, then "LENGTH SHA256" at the end
"""

import hashlib
import socket
import struct
import sys
import time

BLOCK = 1024
RETRIES_MAX = 10


def main(server, path, pause):
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.settimeout(3)
    request = b"\0\1" + path.encode() + b"\0octet\0blksize\0%d\0" % BLOCK
    peer, answer = (server, 69), request
    content, expected, retries = bytearray(), 1, 0
    while True:
        wire.sendto(answer, peer)
        try:
            packet, sender = wire.recvfrom(65536)
        except TimeoutError:
            retries += 1
            if retries > RETRIES_MAX:
                sys.exit("no answer")
            continue
        kind, number = struct.unpack("!HH", packet[:4])
        if kind == 5:
            sys.exit(f"error {number}: {packet[4:-1].decode(errors='replace')}")
        peer = sender
        if kind == 6:
            answer = struct.pack("!HH", 4, 0)
        elif kind == 3 and number == expected & 0xFFFF:
            content += packet[4:]
            if expected == 1:
                print("began", flush=True)
            answer = struct.pack("!HH", 4, number)
            expected, retries = expected + 1, 0
            if len(packet) - 4 < BLOCK:
                wire.sendto(answer, peer)
                break
            time.sleep(pause)
    print(len(content), hashlib.sha256(content).hexdigest(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
