"""tun-relay.py TUN ADDRESS PEER: a VPN's end: carries packets between an existing TUN and UDP port 4790 of a peer.

"relaying" says that it runs.
"""
import fcntl
import os
import selectors
import socket
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
PORT = 4790

name, address, peer = sys.argv[1:]
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
outer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
outer.bind((address, PORT))
outer.connect((peer, PORT))
selector = selectors.DefaultSelector()
selector.register(tun, selectors.EVENT_READ)
selector.register(outer, selectors.EVENT_READ)
print("relaying", flush=True)
while True:
    for key, _ in selector.select():
        try:
            if key.fileobj == tun:
                outer.send(os.read(tun, 65536))
            else:
                os.write(tun, outer.recv(65536))
        except ConnectionRefusedError:
            pass  # the other end does not run yet
