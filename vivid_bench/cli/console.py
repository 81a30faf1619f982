"""What every command shares: where words, progress and tables go."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Container, Iterator, Sequence
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


def size_text(size: int | None) -> str:
    """Return a number of bytes as it is shown."""
    if size is None:
        return "–"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB" if size < 1e7 else f"{size / 1e6:.0f} MB"


@contextmanager
def show_download(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a download as a bar on a terminal and as log lines elsewhere, both on standard error."""

    def line(done: int) -> str:
        return f"{title}: {size_text(done)} of {size_text(total)}"

    with _download_bar(title, total) if err.is_terminal else _lines(line) as advance:
        yield advance


@contextmanager
def _download_bar(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    from rich import progress

    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(bar_width=16),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda n: bar.advance(task, n)


@contextmanager
def show_count(title: str, what: str) -> Iterator[Callable[[int], None]]:
    """Show how many of something are done, where nobody knows how many there are; takes those done since last time."""
    with _count_bar(title, what) if err.is_terminal else _lines(lambda done: f"{title}: {done:,} {what}") as advance:
        yield advance


@contextmanager
def _count_bar(title: str, what: str) -> Iterator[Callable[[int], None]]:
    from rich import progress

    columns = (
        progress.SpinnerColumn(),
        progress.TextColumn(f"{{task.description}}: {{task.completed:,}} {what}", markup=False),
        progress.TimeElapsedColumn(),
    )
    with progress.Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda n: bar.advance(task, n)


@contextmanager
def _lines(say: Callable[[int], str]) -> Iterator[Callable[[int], None]]:
    done, last = 0, time.monotonic()

    def advance(n: int) -> None:
        nonlocal done, last
        done += n
        if time.monotonic() - last >= LOG_EVERY_SECONDS:
            last = time.monotonic()
            err.print(say(done))

    yield advance


def print_findings(
    n: int, problems: Sequence[Exception], warnings: Sequence[str], about: str = "", said: Container[str] = ()
) -> None:
    """Print what a check found: problems and warnings to standard error, the count to standard output.

    Args:
        said: problems and warnings that were printed before; they are counted, and not printed again.
    """
    for kind, findings, style in (("problem", problems, "red"), ("warning", warnings, "yellow")):
        for finding in map(str, findings):
            if finding not in said:
                err.print(f"{kind}: {finding}", style=style)
    out.print(f"{about}{n} samples fit, {len(problems)} problems, {len(warnings)} warnings", soft_wrap=True)


def print_json(value: object) -> None:
    """Print JSON and nothing else to standard output."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # The surrogates of file names that are no UTF-8 are written as JSON's own escapes.
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode() + "\n")


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
