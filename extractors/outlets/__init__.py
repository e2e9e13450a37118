"""Live outlets: predictions and markers to other programs while they come.

Off by default; each needs the extra `outlets` (`pip install affectscope[outlets]`). docs/outlets.md
describes what is sent.
"""

from extractors.outlets.choice import (
    LslChoice,
    OscChoice,
    OutletChoice,
    WebSocketChoice,
    open_outlet,
    parse_outlet,
)
from extractors.outlets.outlet import Outlet, OutletRow
from extractors.outlets.worker import outlet_worker

__all__ = [
    "LslChoice",
    "OscChoice",
    "Outlet",
    "OutletChoice",
    "OutletRow",
    "WebSocketChoice",
    "open_outlet",
    "outlet_worker",
    "parse_outlet",
]
