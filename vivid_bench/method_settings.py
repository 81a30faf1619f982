"""Where a user's checkouts, environments and weights of methods lie: facts of this machine, never part of a record."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

from vivid_bench.errors import InputError
from vivid_bench.files import write_text

KEYS = ("repo", "python", "weights")
VARIABLE = "VIVID_BENCH_CONFIG"


def path() -> Path:
    """Return the settings file: `$VIVID_BENCH_CONFIG`, or `vivid-bench/methods.toml` in the user's config folder."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "vivid-bench" / "methods.toml"


def load(name: str) -> dict[str, str]:
    """Return a method's settings, out of `KEYS`; empty when it was not set up.

    Raises:
        InputError: the file is no TOML of one table a method, or holds anything else.
    """
    return _read_all().get(name, {})


def save(name: str, settings: dict[str, str]) -> Path:
    """Replace a method's settings, leaving the others', and return the file; raises `InputError` as `load` does."""
    tables = _read_all() | {name: settings}
    # JSON's strings are TOML's; names hold dots, so that they are quoted too.
    text = "\n".join(
        "\n".join([f"[{json.dumps(method)}]", *(f"{key} = {_quoted(value)}" for key, value in table.items()), ""])
        for method, table in sorted(tables.items())
    )
    try:
        write_text(path(), text)
    except InputError as error:
        fix = f"make it writable, or set {VARIABLE} to another file"
        raise InputError(path(), expected=error.expected, found=error.found, fix=fix) from error
    return path()


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _read_all() -> dict[str, dict[str, str]]:
    file = path()
    if not file.is_file():
        return {}
    fix = "mend it, or remove it and run `vivid-bench methods setup` again"
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(file, expected="TOML, a table a method", found=str(error), fix=fix) from error
    for name, table in tables.items():
        wrong = table if not isinstance(table, dict) else [k for k, v in table.items() if not _fits(k, v)]
        if wrong or not isinstance(table, dict):
            raise InputError(file, expected=f"text under {', '.join(KEYS)} in [{name}]", found=f"{wrong}", fix=fix)
    return tables


def _fits(key: str, value: object) -> bool:
    return key in KEYS and isinstance(value, str)
