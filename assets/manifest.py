"""What assets/manifest.json says: pretrained files, grouped in sets, and where each may be had."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from assets import ASSETS
from assets.errors import BadInput

__all__ = ["Manifest", "ModelFile", "ModelSet", "Package", "Part", "manifest", "read_manifest"]


@dataclass(frozen=True)
class Package:
    """A package of the Python package registry whose wheel carries bytes of model files."""

    name: str
    version: str
    size: int
    """Bytes of the wheel, for the progress bar."""


@dataclass(frozen=True)
class Part:
    """One file inside a wheel. A model file is the concatenation of its parts, in order."""

    package: Package
    path: str


@dataclass(frozen=True)
class ModelFile:
    """One pretrained file, known by its bytes and not by where it came from."""

    set_key: str
    name: str
    size: int
    sha256: str
    licence: str
    purpose: str
    addresses: tuple[str, ...]
    """Official https addresses, tried in this order before the packages."""
    parts: tuple[Part, ...]

    @property
    def key(self) -> str:
        """Such as "minilm/model.onnx": also the path inside the model folder."""
        return f"{self.set_key}/{self.name}"


@dataclass(frozen=True)
class ModelSet:
    """Files that are of use only together, kept in one folder named by the key."""

    key: str
    default: bool
    """Whether the program needs it to analyse a video."""
    licence: str
    purpose: str
    files: tuple[ModelFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Manifest:
    """All sets, in the order in which they are listed and fetched."""

    sets: tuple[ModelSet, ...]

    @property
    def default_keys(self) -> tuple[str, ...]:
        """Keys of the sets that the program needs to analyse a video."""
        return tuple(entry.key for entry in self.sets if entry.default)

    def of(self, key: str) -> ModelSet:
        """The set of this key. Raises `BadInput` that names the known ones."""
        for entry in self.sets:
            if entry.key == key:
                return entry
        known = ", ".join(entry.key for entry in self.sets)
        raise BadInput(f"there is no model set {key!r}; known sets: {known}")

    def choose(self, keys: Sequence[str]) -> tuple[ModelSet, ...]:
        """The sets of these keys, or the default ones when none is named."""
        return tuple(self.of(key) for key in dict.fromkeys(keys or self.default_keys))


def read_manifest(path: Path) -> Manifest:
    """Read a manifest file of the form of assets/manifest.json."""
    document = json.loads(path.read_text(encoding="utf-8"))
    packages = {
        name: Package(name=name, version=entry["version"], size=entry["size"])
        for name, entry in document["packages"].items()
    }
    return Manifest(sets=tuple(_model_set(entry, packages) for entry in document["sets"]))


def _model_set(entry: dict[str, object], packages: dict[str, Package]) -> ModelSet:
    key, licence, purpose = str(entry["key"]), str(entry["licence"]), str(entry["purpose"])
    files = entry["files"]
    assert isinstance(files, list)
    return ModelSet(
        key=key,
        default=bool(entry["default"]),
        licence=licence,
        purpose=purpose,
        files=tuple(
            ModelFile(
                set_key=key,
                name=file["name"],
                size=file["size"],
                sha256=file["sha256"],
                licence=licence,
                purpose=purpose,
                addresses=tuple(file["addresses"]),
                parts=tuple(_parts(file["parts"], packages)),
            )
            for file in files
        ),
    )


def _parts(entries: list[dict[str, str]], packages: dict[str, Package]) -> Iterable[Part]:
    return (Part(package=packages[entry["package"]], path=entry["path"]) for entry in entries)


@cache
def manifest() -> Manifest:
    """The manifest that comes with the program."""
    return read_manifest(ASSETS / "manifest.json")
