"""Messages arrive whole, with their pictures, and the end of the other side is told."""

import io
import os
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from inference.live.own_process.link import Link


@pytest.fixture
def ends() -> Iterator[tuple[Link, Link]]:
    here, there = os.pipe(), os.pipe()
    left = Link(io.FileIO(here[0], "r"), io.FileIO(there[1], "w"))
    right = Link(io.FileIO(there[0], "r"), io.FileIO(here[1], "w"))
    yield left, right
    left.close()
    right.close()


def test_messages_come_in_order_with_their_pictures(ends: tuple[Link, Link]) -> None:
    left, right = ends
    image = np.random.default_rng(0).integers(0, 255, (1080, 1920, 3), np.uint8)

    def send() -> None:
        left.send({"a": 1})
        left.send("with a picture", image[:, ::-1])  # more than a pipe holds, and not contiguous
        left.send("behind it")

    thread = threading.Thread(target=send)
    thread.start()
    assert right.receive() == ({"a": 1}, None)
    message, received = right.receive()
    assert message == "with a picture"
    assert np.array_equal(received, image[:, ::-1])  # type: ignore[arg-type]
    assert right.receive() == ("behind it", None)
    thread.join()


def test_the_end_of_the_other_side(ends: tuple[Link, Link]) -> None:
    left, right = ends
    left.send("last words")
    left.close()
    assert right.receive() == ("last words", None)
    with pytest.raises(EOFError):
        right.receive()
    with pytest.raises(BrokenPipeError):
        right.send("is anybody there?")


def test_a_message_that_breaks_off_is_none(ends: tuple[Link, Link]) -> None:
    left, right = ends
    left._write(b"\x05\x00")
    left.close()
    with pytest.raises(EOFError):
        right.receive()
