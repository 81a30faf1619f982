"""Processes that share a build's videos."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, TypeVar

from vivid_bench.errors import VividBenchError

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(function: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterable[Result]:
    """Yield what a function returns for each item, in their order, whatever the workers; the first error stops all.

    Args:
        function: sent to each process once, with all that it holds.
        workers: processes; 1 is this one.

    Raises:
        VividBenchError: a process was killed.
    """
    if workers == 1 or len(items) < 2:
        yield from map(function, items)
        return
    # Not forked: OpenCV and torch have threads by now.
    count, context = min(workers, len(items)), get_context("spawn")
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_start, initargs=(function,))
    try:
        yield from pool.map(_work, items)
    except BrokenProcessPool as error:
        raise VividBenchError(
            "a worker was killed, as happens when memory runs out; the same command goes on from here, with fewer "
            "--workers in less memory"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


_function: Callable[[Any], Any]


def _start(function: Callable[[Any], Any]) -> None:
    global _function
    _function = function
    Thread(target=_end_with_parent, daemon=True).start()


def _work(item: Any) -> Any:
    return _function(item)


def _end_with_parent() -> None:
    """Leave nobody at work when the build's own process is killed: the next build may have begun."""
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)
