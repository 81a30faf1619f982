"""Whether weights that are on this machine are whole, and the ones their name promises."""

from __future__ import annotations

import json
import re
from pathlib import Path

from vivid_bench.downloads import check_sha256
from vivid_bench.errors import InputError
from vivid_bench.weights import Weights, catalogue, content_files, locate

HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.(pt|pth)$")
"""torchvision and open_clip end a file's name in the beginning of its sha256."""


def check(name: str) -> Path:
    """Return where weights lie, once every file is read and compared with what is known of it.

    Raises:
        InputError: a file is empty, cut short, or not the one it should be.
        MissingWeightsError, UnknownNameError: see `weights.locate`.
    """
    path = locate(name)
    check_path(path, name)
    return path


def check_path(path: Path, name: str) -> None:
    """Check the file or folder that holds weights of that name; raises `InputError`."""
    entry = catalogue().get(name)
    if entry and "config.json" in entry.settings and not (path / "config.json").is_file():
        raise InputError(path, expected="a folder with config.json", found="none", fix=_fix(name))
    for file in content_files(path, entry):
        check_file(file, known_sha256(file, entry), _fix(name))


def known_sha256(file: Path, entry: Weights | None) -> str | None:
    """Return the sha256 that a file must have, or its beginning; None where nobody has published one."""
    if entry and entry.sha256 and file.name == entry.file:
        return entry.sha256
    if in_name := HASH_IN_NAME.search(file.name):
        return in_name[1]
    # The Hugging Face cache keeps large files under their sha256, and links to them.
    blob = file.resolve()
    return blob.name if blob.parent.name == "blobs" and len(blob.name) == 64 else None


def check_file(file: Path, sha256: str | None, fix: str) -> None:
    """Check one file, by its hash where one is known and by reading it where none is; raises `InputError`."""
    if file.stat().st_size == 0:
        raise InputError(file, expected="weights", found="an empty file", fix=fix)
    if sha256:
        check_sha256(file, sha256, fix)
    elif problem := _unreadable(file):
        raise InputError(file, expected="a file that can be read", found=problem, fix=fix)


def _unreadable(file: Path) -> str | None:
    """Return what is wrong with a file that no hash is known of."""
    try:
        if file.suffix == ".json":
            json.loads(file.read_text(encoding="utf-8"))
        elif file.suffix == ".safetensors":
            from safetensors import safe_open

            with safe_open(file, framework="np") as tensors:
                tensors.keys()
        elif file.suffix in (".bin", ".pt", ".pth"):
            import torch

            torch.load(file, map_location="cpu", weights_only=True)
    # Each library raises its own: SafetensorError, UnpicklingError, RuntimeError, EOFError, ValueError, ...
    except Exception as error:
        return str(error).strip().partition("\n")[0] or type(error).__name__
    return None


def _fix(name: str) -> str:
    return f"delete it and run `vivid-bench weights fetch {name}`, or copy it again"
