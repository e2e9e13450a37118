"""The stream core: time-stamped samples, bounded channels, workers, windows. NumPy only."""

from extractors.stream.channel import Channel, ChannelClosed, ChannelFull, ChannelStats, Overflow
from extractors.stream.clock import Clock, MonotonicClock, VirtualClock
from extractors.stream.merge import TimeOrder, in_time_order
from extractors.stream.sample import SECOND, Sample, from_seconds, to_seconds
from extractors.stream.worker import Failure, Stage, Worker, WorkerGroup

__all__ = [
    "SECOND",
    "Channel",
    "ChannelClosed",
    "ChannelFull",
    "ChannelStats",
    "Clock",
    "Failure",
    "MonotonicClock",
    "Overflow",
    "Sample",
    "Stage",
    "TimeOrder",
    "VirtualClock",
    "Worker",
    "WorkerGroup",
    "from_seconds",
    "in_time_order",
    "to_seconds",
]
