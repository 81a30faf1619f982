"""What every command shares: where words, progress and tables go."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

# Names, paths and captions are text, whatever brackets they hold.
out = Console(markup=False, highlight=False)
err = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)

LOG_EVERY_SECONDS = 10.0
MIN_WIDTH = 140


class _PlainHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        style = "yellow" if record.levelno >= logging.WARNING else ""
        err.print(self.format(record), style=style)


def set_up_logging(verbose: bool) -> None:
    """Send the package's log to standard error."""
    logger = logging.getLogger("vivid_bench")
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)
    logger.handlers = [_PlainHandler()]
    logger.propagate = False


class ConsoleReporter:
    """Progress as a bar on a terminal and as log lines elsewhere, both on standard error."""

    def say(self, text: str) -> None:
        """Print one line."""
        err.print(text)

    @contextmanager
    def stage(self, title: str, total: int) -> Iterator[Callable[[str], None]]:
        """Show the progress of a stage of `total` clips."""
        start = time.monotonic()
        with self._bar(title, total) if err.is_terminal else self._lines(title, total) as progress:
            yield progress
        self.say(f"{title}: {total} clips in {time.monotonic() - start:.1f} s")

    @contextmanager
    def _bar(self, title: str, total: int) -> Iterator[Callable[[str], None]]:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=err, transient=True) as bar:
            bar_task = bar.add_task(title, total=total)
            yield lambda _: bar.advance(bar_task)

    @contextmanager
    def _lines(self, title: str, total: int) -> Iterator[Callable[[str], None]]:
        done, last = 0, time.monotonic()

        def progress(sample_id: str) -> None:
            nonlocal done, last
            done += 1
            if time.monotonic() - last >= LOG_EVERY_SECONDS:
                last = time.monotonic()
                self.say(f"{title}: {done}/{total} ({sample_id})")

        yield progress


def print_json(value: object) -> None:
    """Print JSON and nothing else to standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_rows(title: str | None, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a plain table whose first column is text and is never cut."""
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, no_wrap=index == 0, overflow="fold")
    for row in rows:
        table.add_row(*row)
    wide().print(table)


def wide() -> Console:
    """Return standard output at a width that no table's column is squeezed at; a narrower terminal wraps the lines."""
    return out if out.width >= MIN_WIDTH else Console(width=MIN_WIDTH, markup=False, highlight=False)
