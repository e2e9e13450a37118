"""A live session in a process of its own, so that nothing it does holds up whoever shows it."""

from inference.live.own_process.client import LiveProcess
from inference.live.own_process.messages import Order

__all__ = ["LiveProcess", "Order"]
