"""Stand-ins for the real sources: a web server on the loopback, and wheels in a folder."""

import hashlib
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from assets.manifest import Manifest, ModelFile, ModelSet, Package, Part

CONTENT = bytes(range(256)) * 64
OTHER = bytes(reversed(range(256))) * 8
TINY = Package("affectscope-test-tiny", "1.0", 1000)
TINY_TAIL = Package("affectscope-test-tail", "1.0", 1000)


def model_file(
    name: str, content: bytes, *addresses: str, parts: tuple[Part, ...] = ()
) -> ModelFile:
    sha256 = hashlib.sha256(content).hexdigest()
    return ModelFile("tiny", name, len(content), sha256, "MIT", "tests", addresses, parts)


def manifest_of(*files: ModelFile) -> Manifest:
    return Manifest((ModelSet("tiny", True, "MIT", "tests", files),))


def write_wheel(folder: Path, package: Package, members: dict[str, bytes]) -> None:
    """The smallest wheel that pip accepts."""
    stem = f"{package.name.replace('-', '_')}-{package.version}"
    metadata = f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {package.version}\n"
    tag = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{stem}.dist-info/METADATA", metadata)
        wheel.writestr(f"{stem}.dist-info/WHEEL", tag)
        wheel.writestr(f"{stem}.dist-info/RECORD", "")
        for path, content in members.items():
            wheel.writestr(path, content)


@dataclass
class Hub:
    """A server of files that remembers what was asked and can be told to misbehave."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    break_after: int | None = None
    """Bytes after which the first connection ends, though it promised more."""
    knows_ranges: bool = True


@contextmanager
def running_hub() -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            hub.asked.append((self.path, wanted))
            content = hub.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = 0
            if wanted and hub.knows_ranges:
                match = re.fullmatch(r"bytes=(\d+)-", wanted)
                assert match
                start = int(match[1])
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            body = content[start:]
            if hub.break_after is not None:
                body, hub.break_after = body[: hub.break_after], None
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
