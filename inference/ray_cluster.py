"""Many items on a Ray cluster (https://docs.ray.io). Needs the extra `ray`.

Files are read and written by the cluster's machines, under the same paths as here.
"""

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any, TypeVar

from assets.errors import BadInput
from inference.training.item_workers import Broken

__all__ = ["LOCAL", "each_item_on_ray"]

Item = TypeVar("Item")
Result = TypeVar("Result")

LOCAL = "local"
"""The address that starts a cluster on this computer, and ends it with the work."""
RETRIES = 3
"""How often an item is begun again whose process or machine has died."""


def each_item_on_ray(
    function: Callable[[Item], Result], items: Sequence[Item], address: str
) -> Iterator[tuple[int, Result | Broken[Item]]]:
    """`function` of each item, with the item's place, in the order in which they are done.

    An item whose process dies is begun again, elsewhere if need be; what is done is not done again.
    Raises BadInput if Ray is not installed or the cluster cannot be reached.
    """
    if find_spec("ray") is None:
        raise BadInput("--ray needs Ray, which is not installed: pip install 'affectscope[ray]'")
    import ray

    try:
        ray.init(
            address=None if address == LOCAL else address,
            log_to_driver=False,
            include_dashboard=False,
            logging_level="ERROR",
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        line = " ".join(str(error).split())
        raise BadInput(f"there is no Ray cluster at {address}: {line}") from error
    try:
        yield from _results(ray, function, items)
    finally:
        ray.shutdown()


def _results(
    ray: Any, function: Callable[[Item], Result], items: Sequence[Item]
) -> Iterator[tuple[int, Result | Broken[Item]]]:
    remote = ray.remote(num_cpus=1, max_retries=RETRIES)(function)
    waiting = {remote.remote(item): index for index, item in enumerate(items)}
    while waiting:
        [done], _ = ray.wait(list(waiting), num_returns=1)
        index = waiting.pop(done)
        try:
            yield index, ray.get(done)
        except ray.exceptions.RayError as error:
            yield index, Broken(" ".join(str(error).split())[:300])
