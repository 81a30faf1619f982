"""`vivid-bench study serve`: raters answer over the network, the answers are kept here."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

LOOPBACK = ("127.0.0.1", "localhost", "::1")
WILDCARDS = ("0.0.0.0", "::")


def serve(
    study: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that `study build` made.")],
    host: Annotated[
        str, typer.Option("--host", help="Where to listen; 0.0.0.0 opens it to every machine that reaches this one.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8765,
) -> None:
    """Serve a study: one link a rater, a page that shows progress, and answers that survive a crash.

    The links are made once and kept in DIR/served, as are the answers; stop with Ctrl-C, start again at will.
    """
    from vivid_bench.cli.console import err, out, print_rows
    from vivid_bench.study.answer_checks import is_over
    from vivid_bench.study.links import addresses, load_links, write_table
    from vivid_bench.study.saved import read_key
    from vivid_bench.study.store import STORE, Store

    _need_extra()
    from vivid_bench.study.serve import create_app, find_packets, run_app, utc_now

    key = read_key(study)
    packets, links = find_packets(study, key), load_links(study, key)
    store = Store(study / STORE, key.study)
    try:
        listening = _listen(host, port)
        base = f"http://{_shown_host(host)}:{listening.getsockname()[1]}"
        by_rater = addresses(links, base)
        print_rows(None, ["rater", "link"], list(by_rater.items()))
        out.print(f"links: {write_table(study, by_rater)}", soft_wrap=True)
        out.print(f"progress and export: {base}/admin/{links.admin}/", soft_wrap=True)
        if is_over(key, utc_now().date()):
            err.print(f"this study ended on {key.deadline}: new answers are refused", style="yellow")
        if host not in LOOPBACK:
            err.print("other machines can reach this: plain HTTP; put a proxy with TLS before it", style="yellow")
        # Ctrl-C ends it either way, by how far it has come with shutting down.
        with suppress(KeyboardInterrupt):
            run_app(create_app(key, packets, links, store), listening)
        err.print(f"stopped; the answers are in {study / STORE}")
    finally:
        store.close()


def _need_extra() -> None:
    from importlib.util import find_spec

    from vivid_bench.errors import VividBenchError

    if missing := [name for name in ("fastapi", "uvicorn") if find_spec(name) is None]:
        raise VividBenchError(f'study serve needs {" and ".join(missing)}: pip install "vivid-bench[study]"')


def _listen(host: str, port: int) -> socket.socket:
    from vivid_bench.errors import VividBenchError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        # Python adds the address to the system's words, in brackets.
        why = str(error.strerror).split(" (")[0]
        raise VividBenchError(
            f"cannot listen on {host}, port {port}: {why}; choose another --host or --port"
        ) from error


def _shown_host(host: str) -> str:
    name = socket.gethostname() if host in WILDCARDS else host
    return f"[{name}]" if ":" in name else name
