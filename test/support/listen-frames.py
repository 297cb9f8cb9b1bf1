"""listen-frames.py ETHERTYPE NAMESPACE...: prints what each network namespace receives of a type, untagged.

"listening" comes first, then a line for each frame: the namespace's index in the arguments and the frame in hex.
"""
import ctypes
import os
import selectors
import socket
import sys

CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33

libc = ctypes.CDLL(None, use_errno=True)
selector = selectors.DefaultSelector()
for index, name in enumerate(sys.argv[2:]):
    with open(f"/run/netns/{name}") as namespace:
        if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            sys.exit(f"cannot enter {name}: {os.strerror(ctypes.get_errno())}")
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(int(sys.argv[1], 0)))
    link.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
    selector.register(link, selectors.EVENT_READ, index)
print("listening", flush=True)
while True:
    for key, _ in selector.select():
        print(key.data, key.fileobj.recv(65536).hex(), flush=True)
