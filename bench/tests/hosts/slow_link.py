"""Relays frames between two interfaces of this namespace, delays them and loses some, as tc netem does in the kernel.

Usage: slow_link.py DELAY_MS LOSS_PERCENT SEED ONE OTHER. Both directions have the same delay and loss. Prints "ready" when
it relays.
"""

import collections
import contextlib
import random
import select
import socket
import sys
import time

PACKET_VNET_HDR = 15  # A header before each frame keeps the work that the kernel leaves to the network card.
SOL_PACKET = 263
MAX_WAITING = 10_000  # Frames in flight; more are dropped, as in any queue.


def open_interface(name):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    link.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    link.bind((name, 0))
    return link


def main():
    delay, loss, seed = float(sys.argv[1]) / 1000, float(sys.argv[2]) / 100, int(sys.argv[3])
    links = [open_interface(name) for name in sys.argv[4:6]]
    chance, waiting = random.Random(seed), collections.deque()
    print("ready", flush=True)
    while True:
        due = max(0, waiting[0][0] - time.monotonic()) if waiting else 1
        for link in select.select(links, [], [], due)[0]:
            frame, (_, _, kind, *_) = link.recvfrom(1 << 17)
            if kind == socket.PACKET_OUTGOING:
                continue  # A frame that we sent ourselves.
            if chance.random() >= loss and len(waiting) < MAX_WAITING:
                waiting.append((time.monotonic() + delay, links[1 - links.index(link)], frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, link, frame = waiting.popleft()
            with contextlib.suppress(OSError):  # A frame that the interface refuses is lost too.
                link.send(frame)


main()
