"""Somebody else's code: loaded from a file, and run so that it cannot disturb what is around it."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from vivid_bench.errors import InputError, MethodError
from vivid_bench.files import sha256_text


@contextmanager
def foreign_code() -> Iterator[None]:
    """Send what the block prints to standard error, and put the working folder back after it."""
    folder = Path.cwd()
    sys.stdout.flush()
    # The file descriptor, so that prints from C and from child processes are caught too.
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.chdir(folder)


def describe(error: BaseException) -> str:
    """Return an error's type and words, as text that every file can hold."""
    return f"{type(error).__name__}: {error}".encode("utf-8", "backslashreplace").decode()


def load_from_file(path: Path, attribute: str) -> Any:
    """Import a file, once a process, and return one of its attributes.

    Raises:
        InputError: there is no such file.
        MethodError: it cannot be imported, or has no such attribute.
    """
    if not path.is_file():
        raise InputError(path, expected="an adapter file", found="nothing", fix="check the path before the colon")
    name = f"vivid_bench_method_{sha256_text(str(path.resolve()))[:12]}"
    if name not in sys.modules:
        _import(path, name)
    if not hasattr(sys.modules[name], attribute):
        raise MethodError(f'{path} has no class "{attribute}"')
    return getattr(sys.modules[name], attribute)


def _import(path: Path, name: str) -> None:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    # Registered before it runs, as `import` does: dataclasses and pickle look modules up there.
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        with foreign_code():
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise MethodError(f"{path} cannot be imported: {describe(error)}") from error
    finally:
        sys.path.remove(folder)


def imported_beside(path: Path) -> list[Path]:
    """Return the files below an adapter's folder that were imported: with a change in them it is another method."""
    folder = path.resolve().parent
    names = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    # Some modules make their file's name up (torch.classes says "_classes.py").
    files = {Path(name).resolve() for name in names if name and Path(name).is_absolute() and Path(name).is_file()}
    return sorted(
        f for f in files if f.is_relative_to(folder) and f != path.resolve() and "site-packages" not in f.parts
    )
