"""A blockchain node as small Python systems of this kind write it, in as few lines as show what they cost.

Blocks are dictionaries, hashed as sorted JSON; a nonce is tried by writing and hashing the whole block; a peer's chain
is fetched whole, and checked block by block. Only the standard library is used.

    python3 node.py hashes SECONDS         hashes a second
    python3 node.py serve PORT BLOCKS      serves /chainlength, /block/<n> and /blockchain until it is stopped
    python3 node.py sync PORT              seconds to fetch that chain and check it
"""
import hashlib
import http.server
import json
import sys
import time
import urllib.request

DATA = "0" * 200


def digest(block):
    return hashlib.sha256(json.dumps(block, sort_keys=True).encode()).hexdigest()


def make_chain(count):
    chain = [{"index": 0, "timestamp": 0, "data": "", "prev_hash": "0" * 64, "nonce": 0}]
    for index in range(1, count + 1):
        chain.append({"index": index, "timestamp": index, "data": DATA, "prev_hash": digest(chain[-1]), "nonce": index})
    return chain


def hashes(seconds):
    block, tried, end = make_chain(1)[1], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        block["nonce"] += 1
        digest(block).startswith("0" * 64)
        tried += 1
    print(tried / seconds)


def serve(port, count):
    chain = make_chain(count)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            if self.path == "/chainlength":
                answer = len(chain)
            elif self.path == "/blockchain":
                answer = chain
            else:
                answer = chain[int(self.path.rsplit("/", 1)[1])]
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def sync(port):
    start = time.monotonic()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/blockchain") as answer:
        chain = json.load(answer)
    for parent, block in zip(chain, chain[1:]):
        if block["prev_hash"] != digest(parent) or block["index"] != parent["index"] + 1:
            sys.exit("the chain is wrong")
    print(time.monotonic() - start)


if __name__ == "__main__":
    command, *numbers = sys.argv[1:]
    {"hashes": hashes, "serve": serve, "sync": sync}[command](*map(int, numbers))
