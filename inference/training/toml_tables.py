"""TOML tables into frozen dataclasses: an unknown key, a wrong type or number is an error."""

import dataclasses
import math
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assets.errors import BadInput

__all__ = ["Choices", "Ranges", "changed", "filled", "read_toml"]

Ranges = Mapping[str, tuple[float, float]]
"""Least and most of a number by key; infinity stands for any finite number."""
Choices = Mapping[str, tuple[str, ...]]
"""What a text may be, by key."""


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a file. Raises FileNotFoundError, and BadInput if it is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadInput(f"{path} is not a TOML file: {error}") from error


def filled(kind: type[Any], values: Any, where: str, ranges: Ranges, choices: Choices) -> Any:
    """A dataclass of `kind` from plain values.

    Its fields may be bool, int, float, str, `tuple[str, ...]`, `dict[str, str]` and dataclasses of
    these. Raises BadInput, naming `where` and the key.
    """
    if not isinstance(values, dict):
        raise BadInput(f"{where} is {values!r}, not a table")
    fields = {f.name: f for f in dataclasses.fields(kind)}
    known: dict[str, Any] = {}
    for key, value in values.items():
        if key not in fields:
            raise BadInput(f"{where}: unknown key {key}; known are {', '.join(fields)}")
        wanted: Any = fields[key].type
        if dataclasses.is_dataclass(wanted):
            known[key] = filled(wanted, value, f"{where} [{key}]", ranges, choices)  # type: ignore[arg-type]
        else:
            known[key] = _value(wanted, value, f"{where}: {key}")
        least, most = ranges.get(key, (-math.inf, math.inf))
        number = known[key]
        if type(number) in (int, float) and not (math.isfinite(number) and least <= number <= most):
            upper = f" to {most}" if most < math.inf else " or more"
            raise BadInput(f"{where}: {key} is {value!r}, not {least}{upper}")
        if key in choices and value not in choices[key]:
            raise BadInput(f"{where}: {key} is {value!r}, not one of {', '.join(choices[key])}")
    for name, declared in fields.items():
        missing = declared.default is declared.default_factory is dataclasses.MISSING
        if missing and name not in known:
            raise BadInput(f"{where}: {name} is missing")
    return kind(**known)


def _value(wanted: Any, value: Any, where: str) -> Any:
    """A plain value of the type of a field. Raises BadInput."""
    if typing.get_origin(wanted) is tuple:
        if not isinstance(value, (list, tuple)) or not all(type(name) is str for name in value):
            raise BadInput(f"{where} is {value!r}, not a list of names")
        return tuple(value)
    if typing.get_origin(wanted) is dict:
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise BadInput(f"{where} is {value!r}, not a table of names")
        return dict(value)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise BadInput(f"{where} is {value!r}, not of type {wanted.__name__}")
    return value


def changed(values: dict[str, Any], assignment: str) -> dict[str, Any]:
    """Plain values with one of them set, as `network.width=64` says: keys, and a TOML value.

    A value that is no TOML is taken for a text. Raises BadInput if there is no value.
    """
    name, equals, text = assignment.partition("=")
    if not equals or not name.strip():
        raise BadInput(f"{assignment} does not say KEY=VALUE, such as network.width=64")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    return _with(values, name.strip().split("."), value)


def _with(values: Any, keys: list[str], value: Any) -> dict[str, Any]:
    inside = dict(values) if isinstance(values, dict) else {}
    first, *rest = keys
    inside[first] = _with(inside.get(first), rest, value) if rest else value
    return inside
