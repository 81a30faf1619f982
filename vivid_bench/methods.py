"""Methods: what they declare, how they are found and loaded.

A method is any class with `__init__(device, **parameters)` and `edit(request) -> frames`. It is declared by a
`method.toml` beside its adapter, by an entry point of the group `vivid_bench.methods`, or by nothing but
`path/to/adapter.py:Class` on the command line.
"""

from __future__ import annotations

import importlib.util
import logging
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vivid_bench.errors import InputError, MethodError, UnknownNameError
from vivid_bench.files import sha256_path
from vivid_bench.registry import load_target, package_folder
from vivid_bench.types import TASKS, EditRequest, Frames, MethodKind, MethodRef, Task

ENTRY_POINT_GROUP = "vivid_bench.methods"

log = logging.getLogger("vivid_bench")


class Method(Protocol):
    """What the harness calls."""

    def edit(self, request: EditRequest) -> Frames:
        """Return the edited clip: (T, H, W, 3) uint8 RGB of the request's size and length."""
        ...


class MethodCard(BaseModel):
    """What a method says of itself; the content of `method.toml`.

    Attributes:
        adapter: `module:Class`.
        keyframes: True when the method takes keyframes.
        weights: file or folder beside the card; its hash enters the run record.
        parameters: keyword arguments of the class that decide figures.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    version: str
    kind: MethodKind
    tasks: tuple[Task, ...]
    adapter: str
    keyframes: bool = False
    summary: str = ""
    licence: str = "not stated"
    paper: str | None = None
    weights: str | None = None
    parameters: dict[str, str | int | float | bool | None] = Field(default_factory=dict)


@dataclass(frozen=True)
class KnownMethod:
    """A card, and the folder that its `weights` are relative to."""

    card: MethodCard
    folder: Path
    adapter_file: Path | None = None

    def ref(self) -> MethodRef:
        """Say which method this is, exactly; hashes its weights and, from outside the package, its code."""
        weights = self.folder / self.card.weights if self.card.weights else None
        if weights and not weights.exists():
            raise InputError(
                weights,
                expected=f"the weights of {self.card.name}",
                found="nothing",
                fix="reinstall vivid-bench",
            )
        return MethodRef(
            name=self.card.name,
            kind=self.card.kind,
            version=self.card.version,
            parameters=self.card.parameters,
            weights_sha256=sha256_path(weights) if weights else None,
            code_sha256=sha256_path(self.adapter_file) if self.adapter_file else None,
        )

    def load(self, device: str) -> Method:
        """Build the method on a device; raises `MethodError` with the cause."""
        try:
            adapter = _class_from_file(self.adapter_file, self.card.adapter) if self.adapter_file else None
            adapter = adapter or load_target(self.card.adapter)
            method = adapter(device=device, **self.card.parameters)  # type: ignore[operator]
        except Exception as error:
            raise MethodError(
                f"method {self.card.name} cannot be loaded from {self.card.adapter}: {type(error).__name__}: {error}"
            ) from error
        if not callable(getattr(method, "edit", None)):
            raise MethodError(f"method {self.card.name}: {self.card.adapter} has no method `edit(request)`")
        return method  # type: ignore[no-any-return]


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
        return _method_from_file(Path(path), attribute)
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
            card = _card_from_class(point.load(), point.name, point.value)
        except Exception as error:
            # Somebody else's broken package must not take the other methods away.
            log.warning("method %s (%s) left out: %s: %s", point.name, point.value, type(error).__name__, error)
            continue
        yield KnownMethod(card, Path())


def read_card(path: Path) -> MethodCard:
    """Read a `method.toml`; raises `InputError` naming every wrong key."""
    try:
        return MethodCard(**tomllib.loads(path.read_text()))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise InputError(path, expected="a method card", found=str(error), fix="see CONTRIBUTING.md") from error


def _method_from_file(path: Path, attribute: str) -> KnownMethod:
    if not path.is_file():
        raise InputError(path, expected="an adapter file", found="nothing", fix="check the path before the colon")
    card_file = path.parent / "method.toml"
    if card_file.is_file():
        return KnownMethod(read_card(card_file), path.parent, path)
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", attribute).lower().replace("_", "-")
    try:
        card = _card_from_class(_class_from_file(path, attribute), name, f"{path.name}:{attribute}")
    except ValidationError as error:
        raise MethodError(f"{path}:{attribute} declares unusable attributes: {error}") from error
    return KnownMethod(card, path.parent, path)


def _class_from_file(path: Path, target: str) -> Any:
    attribute = target.rpartition(":")[2]
    spec = importlib.util.spec_from_file_location(f"vivid_bench_method_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise MethodError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    if not hasattr(module, attribute):
        raise MethodError(f'{path} has no class "{attribute}"')
    return getattr(module, attribute)


def _card_from_class(adapter: Any, name: str, target: str) -> MethodCard:
    # Without a card, optional class attributes speak for the method.
    return MethodCard(
        name=getattr(adapter, "name", name),
        version=str(getattr(adapter, "version", "0")),
        kind="method",
        tasks=getattr(adapter, "tasks", TASKS),
        adapter=target,
        keyframes=getattr(adapter, "keyframes", False),
        summary=getattr(adapter, "summary", (adapter.__doc__ or "").strip().partition("\n")[0]),
    )
