"""Methods: what they declare, how they are found and loaded.

A method is any class with `__init__(device, **parameters)` and `edit(request) -> frames`, or a program of another
environment that a card's `[command]` starts. It is declared by a `method.toml` beside its adapter, by an entry point of
the group `vivid_bench.methods`, or by nothing but `path/to/adapter.py:Class` or `path/to/method.toml` on the command
line. A class may further have

- `edit_many(requests) -> iterator`, which gives frames, `Edited` or a `MethodError` for each request, in order;
- `why_not_here(device, **parameters) -> str | None`, a class method: why it cannot run here, in one sentence that names
  the fix; cheap, nothing is loaded or downloaded;
- `identity(**parameters) -> dict`, a class method: what else decides its figures here, e.g. a fingerprint of weights
  that lie elsewhere; it joins the record's parameters.
"""

from __future__ import annotations

import inspect
import logging
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from pydantic import ValidationError

from vivid_bench.errors import InputError, MethodError, UnknownNameError
from vivid_bench.files import sha256_path, sha256_text
from vivid_bench.foreign import describe, foreign_code, imported_beside, load_from_file
from vivid_bench.method_card import MethodCard, read_card
from vivid_bench.registry import load_target, package_folder
from vivid_bench.types import TASKS, Edited, EditRequest, Frames, MethodRef

ENTRY_POINT_GROUP = "vivid_bench.methods"

log = logging.getLogger("vivid_bench")


class Method(Protocol):
    """What the harness calls."""

    def edit(self, request: EditRequest) -> Frames | Edited:
        """Return the edited clip: (T, H, W, 3) uint8 RGB of the request's size and length."""
        ...


@runtime_checkable
class ManyMethod(Protocol):
    """A method that takes samples as a stream."""

    def edit_many(self, requests: Iterable[EditRequest]) -> Iterator[Frames | Edited | MethodError]:
        """Yield the edit of each request, in order, or why there is none; requests are taken as they are needed."""
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
            parameters={**self.card.parameters, **self._identity()},
            weights_sha256=sha256_path(weights) if weights else None,
            code_sha256=self._code_sha256(),
        )

    def why_not_here(self, device: str) -> str | None:
        """Return why the method cannot run on this machine, in one sentence that names the fix; None when it can.

        Nothing is loaded; `device` is `cpu` or `cuda`. Raises `InputError` for broken settings.
        """
        if self.card.command or self.card.is_card_only:
            from vivid_bench.command.adapter import why_not_here

            return why_not_here(self.card, self.folder, device)
        # Only what is said to lack something may do so: importing every adapter would make a list of them slow.
        if not self.code_files and not (self.card.card and self.card.card.weights):
            return None
        asked = getattr(self._adapter(), "why_not_here", None)
        return asked(device, **self.card.parameters) if asked else None

    def load(self, device: str, run_folder: Path | None = None) -> Method:
        """Build the method on a device; raises `MethodError` with the cause.

        Args:
            device: `cpu` or `cuda`.
            run_folder: where a program's log and its temporary files go; by default to a temporary folder.
        """
        if reason := self.why_not_here(device):
            raise MethodError(f"method {self.card.name} cannot run here: {reason}")
        if self.card.command:
            from vivid_bench.command.adapter import CommandMethod

            return CommandMethod(self.card, self.folder, device, run_folder)
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

    def _code_sha256(self) -> str | None:
        if not self.code_files:
            return None
        hashes = [sha256_path(file) for file in self.code_files]
        if self.card.command:
            # Of a card, what starts the program: a licence or a `[submission]` told later leaves runs as they are.
            hashes[0] = sha256_text(self.card.command.model_dump_json(exclude_defaults=True))
        return sha256_text("\n".join(hashes))

    def _identity(self) -> dict[str, str]:
        if self.card.command:
            from vivid_bench.command.adapter import identity

            return identity(self.card)
        if not self.code_files and not (self.card.card and self.card.card.weights):
            return {}
        asked = getattr(self._adapter(), "identity", None)
        return asked(**self.card.parameters) if asked else {}

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
    """Return the method of a name, of `path/to/adapter.py:Class` or of a `path/to/method.toml` with a `[command]`.

    Raises:
        UnknownNameError: there is no such name.
        MethodError: the adapter cannot be used.
        InputError: there is no such file, or it is no card.
    """
    if name.endswith(".toml"):
        return _method_from_card(Path(name))
    path, colon, attribute = name.rpartition(":")
    if colon and path.endswith(".py"):
        return _not_shipped(name, _method_from_file(Path(path), attribute))
    if name.endswith(".py"):
        raise MethodError(f"{name}: name the class too, as {name}:MyMethod")
    if name not in known_methods():
        raise UnknownNameError("method", name, known_methods())
    return known_methods()[name]


def _not_shipped(name: str, known: KnownMethod) -> KnownMethod:
    if known.card.name in known_methods():
        raise MethodError(f"{name}: a method that ships is called {known.card.name}; choose another name")
    return known


def _method_from_card(path: Path) -> KnownMethod:
    if not path.is_file():
        raise InputError(path, expected="a method card", found="nothing", fix="check the path")
    card = read_card(path)
    if card.command is None or card.kind != "method":
        raise MethodError(f'{path}: expected kind "method" and a table [command]; name an adapter as adapter.py:Class')
    here = path.parent.resolve()
    # The programs of one's own that the command starts; those of a checkout are known by its revision.
    words = (here / word.replace("{here}", str(here)) for word in card.command.run if "{repo}" not in word)
    code = tuple(sorted({word for word in words if word.is_file() and word.is_relative_to(here)}))
    return _not_shipped(str(path), KnownMethod(card, here, (path, *code)))


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
