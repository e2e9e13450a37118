"""Prints what Affectscope sends over its WebSocket; the program shows the address.

python examples/receive_websocket.py 'ws://127.0.0.1:8765/?token=...'
"""

import json
import sys

from websockets.sync.client import connect


def main() -> None:
    with connect(sys.argv[1]) as socket:
        for text in socket:
            message = json.loads(text)
            if message["type"] == "prediction":
                emotions = message["emotions"]
                best = max(emotions, key=emotions.get)
                line = f"{message['time']:.1f} s {best} {emotions[best]:.2f}"
                if message["uncertainty"] is not None:
                    line += f" uncertainty {message['uncertainty']:.2f}"
                print(line, flush=True)
            else:
                print(text, flush=True)


if __name__ == "__main__":
    main()
