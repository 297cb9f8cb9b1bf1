"""Tagged frames, made and read by scapy. Tags are written as 8100:10/5d (TPID, VID, PCP, DEI), outermost first.

scapy-tags.py send        sends a frame for each line `INTERFACE NUMBER TAG...` of standard input, says `sent NUMBER`
scapy-tags.py read FILE   prints `NUMBER TAG...` for each of these frames in a capture
"""
import re
import struct
import sys

from scapy.config import conf

conf.ipv6_enabled = False
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.packet import Raw, bind_layers
from scapy.utils import rdpcap

TYPE = 0x88B5
SOURCE, ALL = "02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff"
for tpid in 0x9100, 0x9200, 0x9300:
    bind_layers(Ether, Dot1Q, type=tpid)
    bind_layers(Dot1Q, Dot1Q, type=tpid)


def made(number, tags):
    frame = Ether(dst=ALL, src=SOURCE)
    for tag in tags:
        tpid, vid, pcp, dei = re.fullmatch(r"([0-9a-f]{4}):(\d+)(?:/([0-7])(d?))?", tag).groups()
        frame.lastlayer().type = int(tpid, 16)
        frame /= Dot1Q(vlan=int(vid), prio=int(pcp or 0), id=1 if dei else 0)
    frame.lastlayer().type = TYPE
    return frame / Raw(struct.pack(">I", number) + bytes(42))


def read(packet):
    words = []
    layer, kind = packet.payload, packet.type
    while isinstance(layer, (Dot1Q, Dot1AD)):
        priority = f"/{layer.prio}{'d' if layer.id else ''}" if layer.prio or layer.id else ""
        words.append(f"{kind:04x}:{layer.vlan}{priority}")
        layer, kind = layer.payload, layer.type
    return kind, bytes(layer), words


def send():
    links = {}
    for line in sys.stdin:
        nic, number, *tags = line.split()
        if nic not in links:
            links[nic] = conf.L2socket(iface=nic)
        links[nic].send(made(int(number), tags))
        print("sent", number, flush=True)


if sys.argv[1] == "send":
    print("ready", flush=True)
    send()
else:
    for packet in rdpcap(sys.argv[2]):
        kind, body, words = read(packet)
        if kind == TYPE:
            print(struct.unpack_from(">I", body)[0], *(words or ["untagged"]))
