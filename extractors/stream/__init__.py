"""The stream core: time-stamped samples, bounded channels, workers, windows. NumPy only."""

from extractors.stream.channel import Channel, ChannelClosed, ChannelFull, ChannelStats, Overflow
from extractors.stream.clock import (
    Clock,
    MonotonicClock,
    PacedClock,
    SessionClock,
    VirtualClock,
    time_since_boot,
)
from extractors.stream.merge import TimeOrder, in_time_order
from extractors.stream.output import Inlet, Only, Output, Tap, inlets
from extractors.stream.sample import SECOND, Sample, from_seconds, to_seconds
from extractors.stream.simulated_clock import SimulatedClock
from extractors.stream.worker import Failure, Stage, Worker, WorkerGroup

__all__ = [
    "SECOND",
    "Channel",
    "ChannelClosed",
    "ChannelFull",
    "ChannelStats",
    "Clock",
    "Failure",
    "Inlet",
    "MonotonicClock",
    "Only",
    "Output",
    "Overflow",
    "PacedClock",
    "Sample",
    "SessionClock",
    "SimulatedClock",
    "Stage",
    "Tap",
    "TimeOrder",
    "VirtualClock",
    "Worker",
    "WorkerGroup",
    "from_seconds",
    "in_time_order",
    "inlets",
    "time_since_boot",
    "to_seconds",
]
