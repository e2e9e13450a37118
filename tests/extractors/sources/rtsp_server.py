"""A small RTSP server of the test's own: one stream of known pictures or sound, over TCP."""

import re
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import av
import numpy as np

__all__ = ["LENGTH", "RATE", "rtsp_server"]

LENGTH = 8
"""Seconds that a stream lasts."""
RATE = 10
"""Pictures a second; the first half of them is dark, the second white."""
LOUD = b"\x80"
"""The largest sample of µ-law."""
SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\nm={media}\r\na=control:track\r\n"
MEDIA = {
    "sound": "audio 0 RTP/AVP 0",
    "pictures": "video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1",
}

Payload = tuple[int, bool, bytes]
"""Time in units of the stream, whether it ends a frame, and bytes."""


def _sound() -> Iterator[Payload]:
    """Packets of 20 ms at 8 kHz."""
    for number in range(LENGTH * 50):
        yield number * 160, True, LOUD * 160


def _pictures() -> Iterator[Payload]:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 160, 120, "yuv420p"
    encoder.time_base = Fraction(1, RATE)
    encoder.gop_size = 1  # whoever joins later sees something at once
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    for number in range(LENGTH * RATE):
        level = 255 if number >= LENGTH * RATE // 2 else 0
        frame = av.VideoFrame.from_ndarray(np.full((120, 160, 3), level, np.uint8), "rgb24")
        frame.pts = number
        for packet in encoder.encode(frame):
            units = [unit for unit in re.split(rb"\x00\x00\x00?\x01", bytes(packet)) if unit]
            for unit in units:
                yield number * 90_000 // RATE, unit is units[-1], unit


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while line := self.rfile.readline():
            method, url, _ = line.decode().split()
            headers = {}
            while field := self.rfile.readline().decode().strip():
                name, value = field.split(":", 1)
                headers[name.lower()] = value.strip()
            kind = "sound" if "/sound" in url else "pictures"
            answer, body = f"CSeq: {headers['cseq']}\r\nSession: 1\r\n", ""
            if method == "DESCRIBE":
                body = SDP.format(media=MEDIA[kind])
                answer += f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
            elif method == "SETUP":
                answer += f"Transport: {headers['transport']}\r\n"
            elif method == "OPTIONS":
                answer += "Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
            self.wfile.write(f"RTSP/1.0 200 OK\r\n{answer}\r\n{body}".encode())
            if method == "PLAY":
                self._play(kind)
                return  # the stream ends with the connection

    def _play(self, kind: str) -> None:
        form, packets = (0, _sound()) if kind == "sound" else (96, _pictures())
        try:
            for number, (time, ends, payload) in enumerate(packets):
                header = struct.pack(">BBHII", 0x80, ends << 7 | form, number, time, 1)
                packet = header + payload
                self.wfile.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
        except (BrokenPipeError, ConnectionResetError):
            return  # the player has what it wants


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


@contextmanager
def rtsp_server() -> Iterator[str]:
    """The address of a server on this machine; /sound and /pictures are its streams."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"rtsp://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
