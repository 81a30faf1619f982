"""Lazy names: what exists is known without importing it, and is imported on first use."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from vivid_bench.errors import UnknownNameError, VividBenchError


def package_folder(package: str) -> Path:
    """Return the folder that a package was imported from."""
    return Path(importlib.import_module(package).__path__[0])


def load_target(target: str) -> object:
    """Import what `module:attribute` names."""
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)


class Registry:
    """Names of one kind, each standing for a `module:attribute`, in the order they were registered.

    A name registered twice raises; an unknown name raises `UnknownNameError` with the nearest known one.
    """

    def __init__(self, kind: str, targets: dict[str, str] | None = None) -> None:
        self.kind = kind
        self._targets: dict[str, str] = {}
        for name, target in (targets or {}).items():
            self.register(name, target)

    def register(self, name: str, target: str) -> None:
        """Add a name; raises `VividBenchError` when it is taken."""
        if name in self._targets:
            raise VividBenchError(f'{self.kind} "{name}" is registered twice: {self._targets[name]} and {target}')
        self._targets[name] = target

    def target(self, name: str) -> str:
        """Return the `module:attribute` behind a name; raises `UnknownNameError`."""
        if name not in self._targets:
            raise UnknownNameError(self.kind, name, self._targets)
        return self._targets[name]

    def load(self, name: str) -> object:
        """Import and return what a name stands for; raises `UnknownNameError`."""
        return load_target(self.target(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._targets)

    def __contains__(self, name: object) -> bool:
        return name in self._targets

    def __len__(self) -> int:
        return len(self._targets)
