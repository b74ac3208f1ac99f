"""Values that are made once, by the first thread that wants one, while all others that want it wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

__all__ = ["Once"]

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class Once(Generic[_Key, _Value]):
    """Values by their keys. A failure reaches those who waited for it; who comes later tries again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[_Key, Future[_Value]] = {}

    def get(self, key: _Key, make: Callable[[], _Value]) -> _Value:
        """Return the value, made now or before. Raises what `make` raises."""
        with self._lock:
            made = self._made.get(key)
            if made is not None and made.done() and made.exception() is not None:
                made = None
            if made is None:
                mine: Future[_Value] = Future()
                self._made[key] = mine
        if made is not None:
            return made.result()
        try:
            mine.set_result(make())
        except BaseException as error:
            mine.set_exception(error)
            raise
        return mine.result()

    def forget(self, key: _Key) -> None:
        """Have the value made anew when it is wanted next."""
        with self._lock:
            self._made.pop(key, None)

    def items(self) -> list[tuple[_Key, _Value]]:
        """Return what has been made, with its keys."""
        with self._lock:
            made = list(self._made.items())
        return [(key, each.result()) for key, each in made if each.done() and each.exception() is None]
