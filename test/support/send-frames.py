"""send-frames.py INTERFACE GAP_US: sends frames from standard input, each [u32 big-endian length][octets], as they are."""
import errno
import socket
import struct
import sys
import time

nic, gap = sys.argv[1], int(sys.argv[2]) / 1e6
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
link.bind((nic, 0))
octets = sys.stdin.buffer.read()
at = sent = 0
while at < len(octets):
    (length,) = struct.unpack_from(">I", octets, at)
    frame = octets[at + 4 : at + 4 + length]
    at += 4 + length
    while True:
        try:
            link.send(frame)
            break
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                sys.exit(f"frame {sent} of {len(frame)} octets: {error}")
            time.sleep(0.001)
    sent += 1
    if gap:
        time.sleep(gap)
