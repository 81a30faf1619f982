"""Methods: what they declare, how they are found and loaded.

A method is any class with `__init__(device, **parameters)` and `edit(request) -> frames`. It is declared by a
`method.toml` beside its adapter, by an entry point of the group `vivid_bench.methods`, or by nothing but
`path/to/adapter.py:Class` on the command line.
"""

from __future__ import annotations

import inspect
import logging
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from vivid_bench.errors import MethodError, UnknownNameError
from vivid_bench.files import sha256_path, sha256_text
from vivid_bench.foreign import describe, foreign_code, imported_beside, load_from_file
from vivid_bench.method_card import MethodCard, read_card
from vivid_bench.registry import load_target, package_folder
from vivid_bench.types import TASKS, EditRequest, Frames, MethodRef

ENTRY_POINT_GROUP = "vivid_bench.methods"

log = logging.getLogger("vivid_bench")


class Method(Protocol):
    """What the harness calls."""

    def edit(self, request: EditRequest) -> Frames:
        """Return the edited clip: (T, H, W, 3) uint8 RGB of the request's size and length."""
        ...


@dataclass(frozen=True)
class KnownMethod:
    """A method that can be loaded.

    Attributes:
        folder: what the card's `weights` are relative to.
        code_files: files of an adapter from outside the package, its own first; their hash is part of its identity.
        by_path: True when the adapter is the first of these files, False when it is an importable module.
    """

    card: MethodCard
    folder: Path
    code_files: tuple[Path, ...] = ()
    by_path: bool = False

    def ref(self) -> MethodRef:
        """Say which method this is, exactly, by hashes of weights and outside code; raises `MethodError`."""
        weights = self.folder / self.card.weights if self.card.weights else None
        if weights and not weights.exists():
            fix = "get them as its README says" if self.code_files else "reinstall vivid-bench"
            raise MethodError(f"method {self.card.name}: expected its weights at {weights}, found nothing; {fix}")
        return MethodRef(
            name=self.card.name,
            kind=self.card.kind,
            version=self.card.version,
            parameters=self.card.parameters,
            weights_sha256=sha256_path(weights) if weights else None,
            code_sha256=sha256_text("\n".join(map(sha256_path, self.code_files))) if self.code_files else None,
        )

    def load(self, device: str) -> Method:
        """Build the method on a device; raises `MethodError` with the cause."""
        try:
            with foreign_code():
                method = self._adapter()(device=device, **self.card.parameters)
        except (Exception, SystemExit) as error:
            raise MethodError(
                f"method {self.card.name} cannot be loaded from {self.card.adapter}: {describe(error)}"
            ) from error
        if not callable(getattr(method, "edit", None)):
            raise MethodError(f"method {self.card.name}: {self.card.adapter} has no method `edit(request)`")
        return method  # type: ignore[no-any-return]

    def _adapter(self) -> Any:
        if self.by_path:
            return load_from_file(self.code_files[0], self.card.adapter.rpartition(":")[2])
        return load_target(self.card.adapter)


@cache
def known_methods() -> dict[str, KnownMethod]:
    """Return every method that can be named: VIVID first, then baselines, controls and entry points."""
    found: dict[str, KnownMethod] = {}
    for known in (*_package_methods(), *_entry_point_methods()):
        if known.card.name in found:
            raise MethodError(f'two methods are called "{known.card.name}": {known.folder} and another')
        found[known.card.name] = known
    return found


def find_method(name: str) -> KnownMethod:
    """Return the method of a name or of `path/to/adapter.py:Class`; raises `UnknownNameError` or `MethodError`."""
    path, colon, attribute = name.rpartition(":")
    if colon and path.endswith(".py"):
        known = _method_from_file(Path(path), attribute)
        if known.card.name in known_methods():
            raise MethodError(f"{name}: a method that ships is called {known.card.name}; choose another name")
        return known
    if name.endswith(".py"):
        raise MethodError(f"{name}: name the class too, as {name}:MyMethod")
    if name not in known_methods():
        raise UnknownNameError("method", name, known_methods())
    return known_methods()[name]


def _package_methods() -> Iterator[KnownMethod]:
    package, baselines = Path(__file__).parent, package_folder("vivid_bench.baselines")
    for card in (
        package / "vivid" / "method.toml",
        *sorted(baselines.glob("*/method.toml")),
    ):
        yield KnownMethod(read_card(card), card.parent)
    controls = tomllib.loads((package / "controls.toml").read_text())
    for table in controls["method"]:
        yield KnownMethod(MethodCard(**table), package)


def _entry_point_methods() -> Iterator[KnownMethod]:
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            with foreign_code():
                adapter = point.load()
                file = Path(inspect.getfile(adapter))
            version = point.dist.version if point.dist else "0"
            card = _card_from_class(adapter, point.name, point.value, version)
        except (Exception, SystemExit) as error:
            # Somebody else's broken package must not take the other methods away.
            log.warning("method %s (%s) left out: %s", point.name, point.value, describe(error))
            continue
        yield KnownMethod(card, file.parent, (file,))


def _method_from_file(path: Path, attribute: str) -> KnownMethod:
    adapter = load_from_file(path, attribute)
    code_files = (path, *imported_beside(path))
    card_file = path.parent / "method.toml"
    if card_file.is_file():
        card = read_card(card_file)
        if card.adapter.rpartition(":")[2] != attribute or card.kind != "method":
            raise MethodError(f'{card_file}: expected kind "method" and the adapter {path.stem}:{attribute}')
        return KnownMethod(card, path.parent, code_files, by_path=True)
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", attribute).lower().replace("_", "-")
    try:
        card = _card_from_class(adapter, name, f"{path.name}:{attribute}", "0")
    except ValidationError as error:
        raise MethodError(f"{path}:{attribute} declares unusable attributes: {error}") from error
    return KnownMethod(card, path.parent, code_files, by_path=True)


def _card_from_class(adapter: Any, name: str, target: str, version: str) -> MethodCard:
    # Without a card, optional class attributes speak for the method.
    return MethodCard(
        name=getattr(adapter, "name", name),
        version=str(getattr(adapter, "version", version)),
        kind="method",
        tasks=getattr(adapter, "tasks", TASKS),
        adapter=target,
        keyframes=getattr(adapter, "keyframes", False),
        needs_keyframes=getattr(adapter, "needs_keyframes", False),
        summary=getattr(adapter, "summary", (adapter.__doc__ or "").strip().partition("\n")[0]),
    )
