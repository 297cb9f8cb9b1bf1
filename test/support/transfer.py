"""Sends octets to another machine and says what arrived: one JSON line {"octets": N, "sha256": "..."} at each end.

transfer.py tcp-receive|udp-receive ADDRESS PORT      prints "listening" first
transfer.py tcp-send|udp-send ADDRESS PORT OCTETS [SEGMENT]

What is sent follows from OCTETS alone. UDP: each send is a burst of up to 40 datagrams of SEGMENT octets, cut by the
kernel (UDP_SEGMENT) or, with SEGMENT 0, one datagram of 1400 octets; the receiver answers each burst with the count
of octets that it has, and the sender waits for it, so that no queue overflows.
"""
import hashlib
import json
import socket
import struct
import sys

SOL_UDP, UDP_SEGMENT = 17, 103
DEADLINE_S = 50
WINDOW = 1 << 20

role, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
digest = hashlib.sha256()
socket.setdefaulttimeout(DEADLINE_S)


def say(octets):
    print(json.dumps({"octets": octets, "sha256": digest.hexdigest()}), flush=True)


def content(octets):
    state, blocks = b"hybridge", []
    for _ in range(octets // 32 + 1):
        state = hashlib.sha256(state).digest()
        blocks.append(state)
    return b"".join(blocks)[:octets]


if role == "tcp-receive":
    server = socket.create_server((address, port), family=family)
    print("listening", flush=True)
    link, _ = server.accept()
    link.settimeout(DEADLINE_S)
    octets = 0
    while part := link.recv(WINDOW):
        digest.update(part)
        octets += len(part)
    link.sendall(b"done")
    say(octets)
elif role == "tcp-send":
    data = content(int(sys.argv[4]))
    digest.update(data)
    link = socket.create_connection((address, port))
    link.sendall(data)
    link.shutdown(socket.SHUT_WR)
    if link.recv(4) != b"done":
        sys.exit("the receiver did not answer")
    say(len(data))
elif role == "udp-receive":
    link = socket.socket(family, socket.SOCK_DGRAM)
    link.bind((address, port))
    print("listening", flush=True)
    octets = 0
    while True:
        part, peer = link.recvfrom(65535)
        total, at = struct.unpack_from(">II", part)
        body = part[8:]
        if at != octets:
            sys.exit(f"octet {at} came in the place of {octets}")
        octets += len(body)
        digest.update(body)
        link.sendto(struct.pack(">I", octets), peer)
        if octets == total:
            break
    say(octets)
else:
    data, segment = content(int(sys.argv[4])), int(sys.argv[5])
    digest.update(data)
    body = (segment or 1400) - 8
    parts = [data[i : i + body] for i in range(0, len(data), body)]
    datagrams = [struct.pack(">II", len(data), i * body) + part for i, part in enumerate(parts)]
    burst = 40 if segment else 1
    link = socket.socket(family, socket.SOCK_DGRAM)
    if segment:
        link.setsockopt(SOL_UDP, UDP_SEGMENT, segment)
    link.connect((address, port))
    for i in range(0, len(datagrams), burst):
        link.send(b"".join(datagrams[i : i + burst]))
        expected = min(len(data), (i + burst) * body)
        while struct.unpack(">I", link.recv(4))[0] < expected:
            pass
    say(len(data))
