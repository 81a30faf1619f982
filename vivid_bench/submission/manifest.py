"""The manifest: every file of a submission with its hash, and the protocol that its figures were made under."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import vivid_bench
from vivid_bench.errors import InputError
from vivid_bench.files import canonical_json
from vivid_bench.submission.archive import FileContent
from vivid_bench.submission.method_file import SubmittedMethod, problems_of
from vivid_bench.submission.names import MANIFEST, shown
from vivid_bench.types import RunRecord, SharedKeyframes, Task

_SHA256 = r"^[0-9a-f]{64}$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileEntry(_Part):
    """One file; `path` is relative to the submission."""

    path: str
    size: int = Field(ge=0)
    sha256: str = Field(pattern=_SHA256)


class Protocol(_Part):
    """What one run's figures can be compared with: only those of the same protocol."""

    run_key: str
    suite: str
    task: Task
    split_version: str
    split_sha256: str
    keyframes: SharedKeyframes | None
    metrics: dict[str, str]
    weights: dict[str, str | None]


class Recipe(_Part):
    """How one run is made again, in place of its edits.

    Attributes:
        command: to be read by a person; nothing here is ever executed.
        code: where the adapter lies; `code_sha256` is its hash, None for a module of an installed package.
    """

    run_key: str
    command: str
    code: str
    code_sha256: str | None
    parameters: dict[str, str | int | float | bool | None]
    weights_repository: str | None
    weights_revision: str | None
    weights_sha256: str | None


class Manifest(_Part):
    """The content of `manifest.json`.

    Attributes:
        package_version: of the vivid-bench that packed.
        recipes: None where the edits themselves are there.
    """

    schema_version: Literal[1] = 1
    package_version: str
    protocols: tuple[Protocol, ...]
    recipes: tuple[Recipe, ...] | None = None
    files: tuple[FileEntry, ...]

    def to_bytes(self) -> bytes:
        """Return the one spelling of this manifest."""
        return (canonical_json(self.model_dump(mode="json")) + "\n").encode()


def make_manifest(
    files: Mapping[str, FileContent], records: Sequence[RunRecord], recipes: Sequence[Recipe] | None
) -> Manifest:
    """Return the manifest of files and of the runs among them."""
    return Manifest(
        package_version=vivid_bench.__version__,
        protocols=tuple(map(protocol_of, records)),
        recipes=None if recipes is None else tuple(recipes),
        files=tuple(FileEntry(path=name, **content._asdict()) for name, content in sorted(files.items())),
    )


def protocol_of(record: RunRecord) -> Protocol:
    """Return the protocol that a run record states."""
    return Protocol.model_validate(record.model_dump(include=set(Protocol.model_fields)))


def recipe_of(record: RunRecord, card: SubmittedMethod) -> Recipe:
    """Return how a run is made again; raises `InputError` where the card does not say enough."""
    facts, method = card.submission, record.method
    if method.kind == "submission":
        raise InputError(
            card.name, expected="runs of an adapter", found="finished videos", fix="pack the videos, without --recipe"
        )
    lacking = [] if facts.code else ["code"]
    if method.weights_sha256:
        lacking += [key for key in ("weights_repository", "weights_revision") if not getattr(facts, key)]
    if lacking:
        raise InputError(
            "method.toml", expected=f"{' and '.join(lacking)} in [submission]", found="nothing",
            fix="a recipe says where others find what makes the edits",
        )  # fmt: skip
    command = ["vivid-bench", "run", "--method", card.adapter or "method.toml", "--suite", record.suite]
    command += ["--task", record.task, "--seed", str(record.seed), "--composite", record.composite]
    if isinstance(record.keyframes, tuple):
        command += ["--keyframes", ",".join(map(str, record.keyframes))]
    return Recipe(
        run_key=record.run_key, command=shlex.join(command), code=facts.code or "", code_sha256=method.code_sha256,
        parameters=method.parameters, weights_repository=facts.weights_repository,
        weights_revision=facts.weights_revision, weights_sha256=method.weights_sha256,
    )  # fmt: skip


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of an unpacked submission; raises `InputError`."""
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(path, expected="a manifest", found="nothing", fix="pack with `vivid-bench submit pack`")
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        found = "; ".join(problems_of(error)[:10])
        raise InputError(path, expected="a manifest", found=found, fix="pack the runs again") from error


def manifest_problems(manifest: Manifest, files: Mapping[str, FileContent]) -> Iterator[InputError]:
    """Yield an error for each file that differs from its entry, has none, or is missing."""
    listed = {entry.path: FileContent(entry.size, entry.sha256) for entry in manifest.files}
    for name in sorted(listed.keys() | files.keys() - {MANIFEST}):
        known, there = listed.get(name), files.get(name)
        if known == there:
            continue
        expected = "no such file" if known is None else f"{known.size:,} bytes of sha256 {known.sha256[:12]}…"
        found = "nothing" if there is None else f"{there.size:,} bytes of sha256 {there.sha256[:12]}…"
        yield InputError(shown(name), expected=f"{expected} (manifest)", found=found, fix="pack the runs again")
