"""vde-listen.py DIRECTORY: a switch that refuses everybody. Prints "listening", then each client's request in hex."""
import os
import socket
import sys

directory = sys.argv[1]
os.mkdir(directory)
listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind(directory + "/ctl")
listener.listen(15)
os.chmod(directory, 0o777)
os.chmod(directory + "/ctl", 0o666)
print("listening", flush=True)
while True:
    client, _ = listener.accept()
    print(client.recv(256).hex(), flush=True)
    client.close()
