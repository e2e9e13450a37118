"""Prints what Affectscope sends as Open Sound Control.

python examples/receive_osc.py 9000
"""

import sys

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer


def show(address: str, *values: object) -> None:
    print(address, *values, flush=True)


def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
    dispatcher = Dispatcher()
    dispatcher.map("/affectscope/*", show)
    with BlockingOSCUDPServer(("127.0.0.1", port), dispatcher) as server:
        print("listening on port", server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
