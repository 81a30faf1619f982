"""Weights that metrics compute with: which there are, and where they lie on this machine. Nothing here downloads."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from vivid_bench.errors import InputError, MissingWeightsError, UnknownNameError
from vivid_bench.files import sha256_files, sha256_path

SHIPPED = Path(__file__).parent / "metrics" / "weights"
VARIABLE = "VIVID_BENCH_WEIGHTS"
"""Environment variable: a folder that holds weights by their names, for machines without a network."""

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._+-]*(/[A-Za-z0-9][A-Za-z0-9._+-]*)*"
TENSORS_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")


class Weights(BaseModel):
    """An entry of the catalogue.

    Attributes:
        kind: how they lie on disk: a file, or a folder as transformers (or, for our own, open_clip) writes it.
        hub, revision: repository on the Hugging Face hub, and the commit or branch; None for the default branch.
        url: of the file, where it is not on the hub. Neither hub nor url: they ship with vivid-bench.
        file: name of the file that holds the tensors.
        other_file: name it has in repositories that lack `file`.
        settings: files that lie beside it in a folder.
        sha256: of `file`.
        size: of all files in bytes, approximate.
        used_by: metrics, `*` standing for any part of a name, and compat presets.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Literal["file", "folder"]
    licence: str
    used_by: tuple[str, ...]
    hub: str | None = None
    revision: str | None = None
    url: str | None = None
    file: str | None = None
    other_file: str | None = None
    settings: tuple[str, ...] = ()
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    size: int | None = None

    @property
    def source(self) -> str:
        """Where they come from, to show."""
        return f"https://huggingface.co/{self.hub}" if self.hub else self.url or "ships with vivid-bench"


@cache
def catalogue() -> dict[str, Weights]:
    """Return the weights that are known by name, in the order they are listed."""
    entries = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {name: Weights(name=name, **entry) for name, entry in entries.items()}


def find(name: str) -> Weights:
    """Return the entry of a name of the catalogue, or of `<architecture>/<pretrained tag>` of open_clip.

    Raises:
        UnknownNameError: neither knows it; suggests the nearest name.
    """
    if name in catalogue():
        return catalogue()[name]
    if "/" not in name:
        raise UnknownNameError("weights", name, [*catalogue(), "<architecture>/<tag> of open_clip"])
    return _of_open_clip(name)


def _of_open_clip(name: str) -> Weights:
    import open_clip

    architecture, _, tag = name.partition("/")
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    if tag not in tags:
        pairs = [f"{architecture}/{t}" for t in tags] or [f"{a}/{t}" for a, t in open_clip.list_pretrained()]
        near = get_close_matches(name, pairs, n=5, cutoff=0.5)
        raise UnknownNameError("weights", name, [*near, "the others of open_clip.list_pretrained()"])
    pretrained = open_clip.get_pretrained_cfg(architecture, tag)
    hub, _, file = pretrained["hf_hub"].rpartition("/")
    file = file or "open_clip_pytorch_model.bin"
    safe = "open_clip_model.safetensors" if file == "open_clip_pytorch_model.bin" else f"{Path(file).stem}.safetensors"
    # OpenAI's own files are TorchScript programs, which cannot be read as tensors alone.
    url = pretrained["url"] if tag != "openai" else None
    return Weights(
        name=name,
        kind="file",
        hub=hub,
        url=url or None,
        file=safe,
        other_file=file,
        licence=f"see {hub}",
        used_by=("clip_*", "removal_success"),
    )


def use_folder(folder: Path | None) -> None:
    """Look for weights in this folder first, in this process and those it starts; None changes nothing.

    Raises:
        InputError: there is no such folder.
    """
    if folder is None:
        return
    if not folder.is_dir():
        raise InputError(folder, expected="a folder of weights", found="no such folder", fix="check --weights")
    others = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = os.pathsep.join([str(folder.resolve()), *([others] if others else [])])


def locate(name: str) -> Path:
    """Return the file or folder of weights that are on this machine; nothing is downloaded.

    Looked for in the package, then in the folders that `VIVID_BENCH_WEIGHTS` lists, then where `vivid-bench weights
    fetch`, huggingface_hub, torch.hub and open_clip keep what they download. A folder may hold weights under any name
    of the user's own.

    Raises:
        MissingWeightsError: they are not here; says what was looked for and how to get them.
        UnknownNameError: no such weights here, and neither the catalogue nor open_clip knows the name.
        InputError: `VIVID_BENCH_WEIGHTS` lists a folder that does not exist.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        raise UnknownNameError("weights", name, catalogue())
    listed = catalogue().get(name)
    for folder in _folders():
        if path := in_folder(folder, name, listed):
            return path
    entry = listed or find(name)
    if path := next(_in_caches(entry), None):
        return path
    downloadable = entry.file and (entry.hub or entry.url)
    raise MissingWeightsError(name, f"{name}/{entry.file}" if downloadable else None)


def _folders() -> Iterator[Path]:
    yield SHIPPED
    for folder in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        if not Path(folder).is_dir():
            fix = f"change the environment variable {VARIABLE}"
            raise InputError(folder, expected="a folder of weights", found="no such folder", fix=fix)
        yield Path(folder)
    yield cache_folder()


def in_folder(folder: Path, name: str, entry: Weights | None) -> Path | None:
    """Return where weights lie in a folder of weights; None where they do not."""
    place = folder / name
    if place.is_file():
        return place
    if entry and entry.url and not entry.hub and entry.file and (folder / entry.file).is_file():
        return folder / entry.file
    files = [path for path in place.glob("*") if path.is_file() and not path.name.startswith(".")]
    tensors = [path for path in files if path.suffix in TENSORS_SUFFIXES]
    if entry and entry.kind == "file":
        tensors = [path for path in tensors if path.name in (entry.file, entry.other_file)]
    if not tensors:
        return None
    # Without an entry: settings beside the tensors make a folder that a library loads as one.
    is_folder = entry.kind == "folder" if entry else any(path.suffix == ".json" for path in files)
    return place if is_folder else min(tensors, key=lambda path: (path.suffix != ".safetensors", path.name))


def _in_caches(entry: Weights) -> Iterator[Path]:
    if entry.hub:
        for file in filter(None, (entry.file, entry.other_file)):
            found = [_cached(entry.hub, f, entry.revision) for f in (*entry.settings, file)]
            if path := found[-1]:
                if entry.kind == "file":
                    yield path
                elif all(found):
                    yield path.parent
    if entry.url:
        for folder in (_torch_hub_folder(), Path("~/.cache/clip").expanduser()):
            if (path := folder / entry.url.rpartition("/")[2]).is_file():
                yield path


def _cached(hub: str, file: str, revision: str | None) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(hub, file, revision=revision)
    return Path(path) if isinstance(path, str) else None


def cache_folder() -> Path:
    """Return the folder of weights that `vivid-bench weights fetch` downloads to."""
    return _user_cache() / "vivid-bench" / "weights"


def _torch_hub_folder() -> Path:
    """Return the folder that torch.hub, and so torchvision, downloads to; without importing torch."""
    return Path(os.environ.get("TORCH_HOME", _user_cache() / "torch")).expanduser() / "hub" / "checkpoints"


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()


def weights_sha256(name: str) -> str:
    """Return the hash of the content of weights that are on this machine.

    Of a file, its sha256. Of a folder, `files.sha256_path`; where the catalogue lists its files, of those alone, so
    that what else a cache keeps beside them does not count. Read once a process while the files are unchanged.

    Raises:
        MissingWeightsError, UnknownNameError: see `locate`.
    """
    path = locate(name)
    files = tuple(content_files(path, catalogue().get(name)))
    return _sha256(path, tuple((file, file.stat().st_mtime_ns, file.stat().st_size) for file in files))


def why_missing(name: str) -> str | None:
    """Say why weights cannot be used, and what to do; None where they are on this machine."""
    try:
        locate(name)
    except MissingWeightsError as error:
        return str(error)
    return None


def content_files(path: Path, entry: Weights | None) -> list[Path]:
    """Return the files that weights at a path are made of, in a fixed order."""
    if path.is_file():
        return [path]
    if entry and entry.file and (path / entry.file).is_file():
        names = (*entry.settings, entry.file)
        return sorted(path / name for name in names if (path / name).is_file())
    return sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))


@cache
def _sha256(path: Path, files: tuple[tuple[Path, int, int], ...]) -> str:
    return sha256_path(path) if path.is_file() else sha256_files(path, (file for file, _, _ in files))
