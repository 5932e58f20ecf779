"""One DHCPDISCOVER of a Raspberry Pi's firmware, and nothing after it: for boards that stop and boards that are unknown.

It refuses to listen: who sends it is not there any more when the answer comes.
"""

import socket
import struct
import sys

SERVER_PORT, CLIENT_PORT = 67, 68


def discover(serial, mac):
    """The datagram, with the options that the boot loader of 2023 sends."""
    hardware = bytes.fromhex(mac.replace(":", ""))
    number = struct.pack("<I", int(serial, 16))
    header = struct.pack("!BBBBIHH4s4s4s4s", 1, 1, 6, 0, int(serial, 16) & 0xFFFFFFFF, 0, 0x8000, bytes(4), bytes(4), bytes(4), bytes(4))
    header += hardware + bytes(10) + bytes(64 + 128) + b"\x63\x82\x53\x63"
    # RFC 4578: architecture 0, the identifier that begins with "RPi4" and ends with the serial, the class of PXE.
    identifier = b"\x00" + b"RPi4" + b"\x14\x31\xd0\x00" + hardware[2:6] + number
    options = {53: b"\x01", 55: bytes((1, 3, 43, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135)), 93: b"\x00\x00",
               94: b"\x01\x02\x01", 97: identifier, 60: b"PXEClient:Arch:00000:UNDI:002001"}
    return header + b"".join(bytes((code, len(value))) + value for code, value in options.items()) + b"\xff"


def send(interface, serial, mac):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        sender.bind(("0.0.0.0", CLIENT_PORT))
        sender.sendto(discover(serial, mac), ("255.255.255.255", SERVER_PORT))


if __name__ == "__main__":
    send(*sys.argv[1:4])
