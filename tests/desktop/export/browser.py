"""A headless Chromium with one page, driven through its DevTools protocol."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

__all__ = ["Page", "chromium"]

PATIENCE = 60.0
"""Seconds; a safety net, not part of any test."""
NAMES = ("chromium-headless-shell", "chromium", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--mute-audio", "--remote-debugging-port=0", "--window-size=1280,1400",
)  # fmt: skip


def chromium() -> str:
    """Path of a Chromium; skips the test where there is none."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    pytest.skip("no headless Chromium: `setup/system_packages.sh browser` installs one")


class Page:
    """One page, as a context manager.

    `requests` and `complaints` are what it asked for and what went wrong in it.
    """

    def __init__(self, file: Path, profile: Path) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._numbers = itertools.count(1)
        self._file, self._profile = file, profile
        self._open = ExitStack()

    def __enter__(self) -> "Page":
        with ExitStack() as opened:
            self._process = opened.enter_context(
                subprocess.Popen(
                    [chromium(), *FLAGS, f"--user-data-dir={self._profile}", "about:blank"],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={**os.environ, "HOME": str(self._profile)},
                    start_new_session=True,
                )
            )
            opened.callback(self._end)
            address = self._address(self._profile / "DevToolsActivePort")
            self._socket = opened.enter_context(connect(address, max_size=None))
            self._load()
            self._open = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _end(self) -> None:
        """End the browser whole: what Debian calls Chromium is a script that starts it."""
        os.killpg(self._process.pid, signal.SIGKILL)

    def _load(self) -> None:
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=self._file.absolute().as_uri())
        self.run("new Promise(done => document.readyState === 'complete' ? done() : "
                 "addEventListener('load', done))")  # fmt: skip

    def _address(self, file: Path) -> str:
        until = time.monotonic() + PATIENCE
        while not (file.is_file() and len(file.read_text().splitlines()) > 1):
            assert time.monotonic() < until, "Chromium did not start"
            assert self._process.poll() is None, "Chromium ended"
            time.sleep(0.02)
        port = file.read_text().splitlines()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=PATIENCE) as reply:
            targets = json.load(reply)
        return next(str(t["webSocketDebuggerUrl"]) for t in targets if t["type"] == "page")

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol and return its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def _note(self, event: dict[str, Any]) -> None:
        if event["method"] == "Network.requestWillBeSent":
            self.requests.append(event["params"]["request"]["url"])
        elif event["method"] in ("Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(json.dumps(event["params"])[:500])

    def run(self, script: str) -> Any:
        """The value of an expression; a promise is waited for."""
        result = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def click(self, selector: str, across: float = 0.5) -> None:
        """Press the mouse on an element, `across` of its width from the left."""
        box = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
            "e.scrollIntoView({block: 'center'}); "
            "const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()"
        )
        x, y = box[0] + across * box[2], box[1] + box[3] / 2
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key)
