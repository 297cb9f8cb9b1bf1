"""flood.py INTERFACE LENGTH RATE: sends broadcasts until it ends; RATE frames a second, 0: as fast as they go.

They are of the type for local experiments, all alike. SIGTERM ends it between two frames.
"""
import signal
import socket
import sys
import time

nic, length, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
link.bind((nic, 0))
frame = bytes.fromhex("ffffffffffff" "0200000000aa" "88b5").ljust(length, b"\x55")
start, sent = time.monotonic(), 0
print("flooding", flush=True)
while True:
    due = int((time.monotonic() - start) * rate) - sent if rate else 100
    for _ in range(due):
        link.send(frame)
    sent += due
    if rate:
        time.sleep(0.002)
