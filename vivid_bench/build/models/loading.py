"""Models of transformers for the builder: where their weights lie, which they are, and loading them.

Nothing downloads, no code from a model's folder runs, and weights are read from safetensors files only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vivid_bench.errors import InputError
from vivid_bench.files import fingerprint
from vivid_bench.metrics.patch_features import quiet

if TYPE_CHECKING:
    import torch

DECIDING_SUFFIXES = (".safetensors", ".json", ".txt", ".model", ".jinja")
"""Of the files that decide what a model answers: weights, settings, vocabularies, chat templates."""

RAFT_URL = "https://download.pytorch.org/models/raft_large_C_T_SKHT_V2-ff5fadd5.pth"
"""torchvision's `Raft_Large_Weights.DEFAULT`."""


@dataclass(frozen=True)
class Weights:
    """Which weights a name stands for.

    Attributes:
        name: on the hub; of a folder or a file of one's own, the last part of its path.
        fingerprint: `files.fingerprint` of the files that decide what the model answers.
        revision: the hub's commit; None for a folder or a file of one's own.
    """

    name: str
    fingerprint: str
    revision: str | None = None

    @property
    def described(self) -> str:
        """The weights in words that differ whenever they do."""
        revision = f" at {self.revision[:12]}" if self.revision else ""
        return f"{self.name}{revision} (fingerprint {self.fingerprint[:16]})"


@dataclass(frozen=True)
class Loaded:
    """A model on its device in eval mode, and what prepares its inputs."""

    model: Any
    processor: Any


def weights_of(name: str) -> Weights:
    """Say which weights a name stands for, loading none of them.

    Args:
        name: a folder in transformers' format, a name on the hub that is in the local cache, or a file.

    Raises:
        InputError: they are not on this machine; the message holds the command that gets them.
    """
    if name.endswith(".pth") or Path(name).expanduser().is_file():
        return Weights(Path(name).name, fingerprint([weights_file(name)]))
    folder = _folder(name)
    files = sorted(file for file in folder.iterdir() if file.suffix in DECIDING_SUFFIXES and file.is_file())
    if folder.parent.name == "snapshots" and not _is_own(name, folder):
        return Weights(name, fingerprint(files), folder.name)
    return Weights(folder.resolve().name, fingerprint(files))


def weights_file(name: str | Path) -> Path:
    """Return the path of RAFT's weights, the only model here that is one file.

    Raises:
        InputError: there is no such file; the message says where it is to be had.
    """
    path = Path(name).expanduser()
    if not path.is_file():
        fix = f"`curl -LO {RAFT_URL}` gets torchvision's for raft_large"
        raise InputError(path, expected="a file of RAFT's weights", found="no file", fix=fix)
    return path


def load(
    name: str, model_class: str, device: str, *, dtype: torch.dtype, model_types: Sequence[str] | None = None
) -> Loaded:
    """Load a model and its processor.

    Args:
        name: a folder in transformers' format, or a name on the hub that is in the local cache.
        model_class: its class in transformers.
        device: `cpu` or `cuda`.
        dtype: what it computes in; see `half_on_gpu`.
        model_types: what its config.json may call itself; None: whatever the class takes.

    Raises:
        InputError: the weights are not on this machine (the message holds the command that gets them), are of another
            model, are not safetensors, do not cover all parameters, or ask for code of their own to be run.
    """
    import transformers

    folder = _folder(name)
    with _problems_named(name, folder, f"a {model_class} of transformers"), quiet():
        model_type = transformers.AutoConfig.from_pretrained(folder, **_LOCAL).model_type
        if model_types and model_type not in model_types:
            raise _unfit(name, folder, f"a model of type {' or '.join(model_types)}", f"one of type {model_type}")
        if not any(folder.glob("*.safetensors")):
            raise InputError(
                name, expected="weights in safetensors files", found="none (pickled weights are not read)",
                fix="name a model, or a revision of it, that has them",
            )  # fmt: skip
        model, loading = getattr(transformers, model_class).from_pretrained(
            folder, **_LOCAL, use_safetensors=True, dtype=dtype, output_loading_info=True, ignore_mismatched_sizes=True
        )
        processor = transformers.AutoProcessor.from_pretrained(folder, **_LOCAL)
    # transformers only warns of these, and fills them with random numbers.
    if unset := sorted({*loading["missing_keys"], *(key[0] for key in loading["mismatched_keys"])}):
        found = f"none, or of another shape, for {len(unset)} of them, e.g. {unset[0]}"
        raise _unfit(name, folder, f"weights for all parameters of a {model_class}", found)
    return Loaded(model.eval().to(device), processor)


def half_on_gpu(device: str) -> torch.dtype:
    """Return float32 for a CPU; for a GPU bfloat16, or float16 where it has no bfloat16."""
    import torch

    if device == "cpu":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


def _folder(name: str) -> Path:
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    expected = "a folder in transformers' format, or a name on the hub that is in the local cache"
    try:
        return Path(snapshot_download(name, local_files_only=True))
    except HFValidationError as error:
        found = "a file" if folder.exists() else "neither"
        raise InputError(name, expected=expected, found=found, fix="name a folder that exists") from error
    except OSError as error:
        fix = f"run `hf download {name}`, or name a folder that holds it"
        raise InputError(name, expected=expected, found="neither", fix=fix) from error


@contextmanager
def _problems_named(name: str, folder: Path, expected: str) -> Iterator[None]:
    """Turn what transformers raises for folders of no use into an `InputError`."""
    from safetensors import SafetensorError

    try:
        yield
    except ImportError as error:
        found = _line(error)
        raise InputError(name, expected=expected, found=found, fix="install that, or name another model") from error
    # A key, type or attribute that transformers misses comes of a config.json that is not of the class.
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise _unfit(name, folder, expected, _line(error)) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _unfit(name: str, folder: Path, expected: str, found: str) -> InputError:
    fix = "name another folder" if _is_own(name, folder) else f"run `hf download {name}` again, or name another model"
    return InputError(name, expected=expected, found=found, fix=fix)


def _is_own(name: str, folder: Path) -> bool:
    return folder == Path(name).expanduser()
