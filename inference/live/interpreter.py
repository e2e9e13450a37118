"""What the interpreter leaves out while sessions run, since it would hold all their threads."""

import gc
import threading

__all__ = ["Collection", "collection"]


class Collection:
    """When Python looks for objects that refer to each other in a circle, holding all threads.

    With the models' libraries loaded there are so many objects that a look at all of them takes a
    fifth of a second. So nothing is looked for while models load, and while a session runs only
    among what came after its start. What was there before is looked at once it has ended.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loading: set[object] = set()
        self._running: set[object] = set()

    def loading(self, session: object) -> None:
        with self._lock:
            self._loading.add(session)
            gc.disable()

    def running(self, session: object) -> None:
        with self._lock:
            self._running.add(session)
            gc.freeze()
            self._loaded(session)

    def ended(self, session: object) -> None:
        """Also of a session that never ran."""
        with self._lock:
            self._running.discard(session)
            if not self._running:
                gc.unfreeze()
            self._loaded(session)

    def _loaded(self, session: object) -> None:
        self._loading.discard(session)
        if not self._loading:
            gc.enable()


collection = Collection()
"""Of this process, as the collector itself."""
