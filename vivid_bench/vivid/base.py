"""Finding and checking the CogVideoX text-to-video checkpoint that a full-size VIVID is made from.

Nothing heavy is imported and no weights are read here, so that a wrong checkpoint is named at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from vivid_bench.errors import InputError, InputReportError

BASE_CLASS = "CogVideoXPipeline"
COMPONENTS = {
    "tokenizer": "T5Tokenizer",
    "text_encoder": "T5EncoderModel",
    "vae": "AutoencoderKLCogVideoX",
    "transformer": "CogVideoXTransformer3DModel",
    "scheduler": None,
}
_TAKE_ANOTHER = "take a text-to-video checkpoint in diffusers' format, e.g. THUDM/CogVideoX-5b"
FETCH = "fetch the whole checkpoint, with safetensors weights (--download with its hub name)"


def find_base(base: str, *, download: bool = False) -> Path:
    """Return the folder of a usable base.

    Args:
        base: folder of a CogVideoX pipeline as diffusers saves it, or a hub name found in the local cache.
        download: fetch what the cache lacks.

    Raises:
        InputError: when there is none, saying how to get it, or it is of another kind.
    """
    folder = Path(base) if Path(base).is_dir() else _from_hub(base, download)
    check_base(folder)
    return folder


def _from_hub(base: str, download: bool) -> Path:
    wanted = ["*.json", "*.safetensors", "tokenizer/*", "LICENSE*"]
    try:
        return Path(snapshot_download(base, allow_patterns=wanted, local_files_only=not download))
    except HFValidationError as error:
        raise InputError(base, expected="a folder or a hub name", found="neither", fix="check the path") from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        fix = "check the name and the network" if download else "add --download to fetch it (20 GB for CogVideoX-5b)"
        found = str(error).splitlines()[0] if download else "no such folder, nor that name in the hub's local cache"
        raise InputError(base, expected="a CogVideoX checkpoint", found=found, fix=fix) from error


def check_base(folder: Path) -> None:
    """Raise `InputError` naming all that keeps a folder from being a usable base; no weights are read."""
    errors = list(_wrong_class(folder)) or [*_wrong_components(folder), *_wrong_weights(folder)]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise InputReportError(folder, errors)


def _wrong_class(folder: Path) -> Iterator[InputError]:
    path = folder / "model_index.json"
    if not path.is_file():
        yield InputError(path, expected="a file of a diffusers pipeline", found="none", fix=_TAKE_ANOTHER)
        return
    found = read_json(path).get("_class_name")
    if found != BASE_CLASS:
        yield InputError(path, expected=BASE_CLASS, found=str(found), fix=_TAKE_ANOTHER)


def _wrong_components(folder: Path) -> Iterator[InputError]:
    index = read_json(folder / "model_index.json")
    for name, wanted in COMPONENTS.items():
        _, found = index.get(name) or (None, None)
        if found is None or not (folder / name).is_dir():
            yield InputError(folder / name, expected="a folder listed in model_index.json", found="none", fix=FETCH)
        elif wanted not in (None, found, f"{found}".removesuffix("Fast")):
            yield InputError(folder / name, expected=str(wanted), found=found, fix=_TAKE_ANOTHER)
    path = folder / "transformer" / "config.json"
    if not path.is_file():
        yield InputError(path, expected="the transformer's configuration", found="none", fix=FETCH)
        return
    config = read_json(path)
    channels = config.get("in_channels"), config.get("out_channels")
    if channels[0] != channels[1]:
        found = f"{channels[0]} in and {channels[1]} out, as of an image-to-video model"
        yield InputError(path, expected="as many input as output channels", found=found, fix=_TAKE_ANOTHER)
    if config.get("patch_size_t") is not None:
        found = f"patch_size_t {config['patch_size_t']}, as of CogVideoX 1.5"
        yield InputError(path, expected="CogVideoX 1.0, patches of one frame", found=found, fix=_TAKE_ANOTHER)


def _wrong_weights(folder: Path) -> Iterator[InputError]:
    for name in ("text_encoder", "vae", "transformer"):
        indices = list((folder / name).glob("*.safetensors.index.json"))
        shards = {shard for index in indices for shard in read_json(index)["weight_map"].values()}
        missing = sorted(shard for shard in shards if not (folder / name / shard).is_file())
        if missing:
            yield InputError(folder / name, expected="all shards", found=f"no {', '.join(missing)}", fix=FETCH)
        elif not shards and not list((folder / name).glob("*.safetensors")):
            pickles = list((folder / name).glob("*.bin"))
            found = "pickled weights only, which are not read" if pickles else "none"
            yield InputError(folder / name, expected="safetensors weights", found=found, fix=FETCH)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; raises `InputError`."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputError(path, expected="a JSON file", found=str(error), fix=FETCH) from error
    return content
