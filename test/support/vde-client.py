"""vde-client.py SWITCH OWN [OPTION=VALUE...]: a client of a VDE switch that is no other program's, its socket in OWN.

Options: port=N wanted port; uid=N becomes that user first; kind=uml binds an abstract address, sends the request with its
structure's two octets of padding and never connects; name=PATH says that its socket is there, which is another's;
request=HEX sends that instead of a request. Prints "plugged PATH" or "refused", then "frame HEX" for each frame, and "eof"
at the end. A line on standard input is a frame in hex, to be sent.
"""
import os
import selectors
import socket
import struct
import sys
import threading

directory, own = sys.argv[1:3]
options = dict(argument.split("=", 1) for argument in sys.argv[3:])
if "uid" in options:
    os.setgroups([])
    os.setgid(int(options["uid"]))
    os.setuid(int(options["uid"]))
is_uml = options.get("kind") == "uml"


def say(*words):
    print(*words, flush=True)


ctl = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
try:
    ctl.connect(directory + "/ctl")
except OSError as error:
    say("unreachable", error.strerror)
    sys.exit(0)
data = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
# An abstract name is as long as the structure has room.
path = b"\0" + struct.pack("=iI", os.getpid(), 7).ljust(107, b"\0") if is_uml else f"{own}/client-{os.getpid()}".encode()
data.bind(path)
if not is_uml:
    os.chmod(path, 0o777)
named = options.get("name", "").encode() or path
head = struct.pack("=IIIH108s", 0xFEEDFACE, 3, int(options.get("port", "0")) << 8, 1, named)
request = bytes.fromhex(options["request"]) if "request" in options else head + (b"\0\0" if is_uml else b"test client\x1b[2J")
ctl.send(request)
reply = ctl.recv(256)
if len(reply) != 110:
    say("refused", len(reply))
    sys.exit(0)
switch = reply[2:].split(b"\0")[0]
if not is_uml and "name" not in options:
    data.connect(switch)
say("plugged", switch.decode())


def send():
    for line in sys.stdin:
        frame = bytes.fromhex(line)
        if is_uml:
            data.sendto(frame, switch)
        else:
            data.send(frame)


threading.Thread(target=send, daemon=True).start()
selector = selectors.DefaultSelector()
selector.register(ctl, selectors.EVENT_READ)
selector.register(data, selectors.EVENT_READ)
while True:
    for key, _ in selector.select():
        octets = key.fileobj.recv(65536)
        if key.fileobj is data:
            say("frame", octets.hex())
        elif not octets:
            say("eof")
            if not is_uml:
                os.unlink(path)
            sys.exit(0)
