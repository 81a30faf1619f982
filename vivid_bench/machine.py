"""The machine a run is made on: device, versions, memory."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from vivid_bench.errors import VividBenchError
from vivid_bench.types import Environment

PACKAGES = (
    "vivid-bench",
    "torch",
    "torchvision",
    "torchmetrics",
    "open-clip-torch",
    "lpips",
    "diffusers",
    "transformers",
    "numpy",
    "opencv-python-headless",
    "av",
    "scipy",
    "pillow",
    "ftfy",
    "regex",
)


def resolve_device(name: str) -> str:
    """Return `cpu` or `cuda` for `auto`, `cpu` or `cuda`; raises when a GPU is asked for and there is none."""
    if name not in ("auto", "cpu", "cuda"):
        raise VividBenchError(f'unknown device "{name}": known: auto, cpu, cuda')
    if name == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if name == "cuda":
        raise VividBenchError(
            "device cuda was asked for, but torch finds no GPU: pass --device cpu, or see `vivid-bench doctor`"
        )
    return "cpu"


def has_nvidia_driver() -> bool:
    """Whether this machine seems to have an NVIDIA GPU, without asking torch, which takes seconds to load."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def package_versions() -> dict[str, str]:
    """Return package -> installed version, of all packages that can move a figure; absent ones are left out."""
    found = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def environment(device: str) -> Environment:
    """Describe this machine for a run record."""
    from vivid_bench.video import decoder_versions

    return Environment(
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        device=device,
        device_name=_device_name(device),
        decoder=decoder_versions(),
        versions=package_versions(),
    )


def _device_name(device: str) -> str:
    if device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()}, {os.cpu_count()} cores"
    return platform.processor() or platform.machine()


def code_state() -> tuple[str | None, bool | None]:
    """Return the checkout's commit and whether it has uncommitted changes; (None, None) outside a checkout."""
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None, None

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=20
        ).stdout.strip()

    try:
        # Records are written below results/ while a run goes on; they do not decide figures.
        dirty = git("status", "--porcelain", "--", ".", ":!results", ":!runs")
        return git("rev-parse", "HEAD"), bool(dirty)
    except (OSError, subprocess.SubprocessError):
        return None, None


@dataclass
class PeakMemory:
    """Filled when `peak_memory` ends: bytes, or None where the system does not say."""

    bytes: int | None = None


@contextmanager
def peak_memory(device: str) -> Iterator[PeakMemory]:
    """Measure the peak of the block: memory allocated on the GPU, or the whole process's resident memory on a CPU."""
    peak = PeakMemory()
    if device == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats()
        yield peak
        torch.cuda.synchronize()
        peak.bytes = torch.cuda.max_memory_allocated()
        return
    reset = _reset_resident_peak()
    yield peak
    peak.bytes = _resident_peak() if reset else None


def _reset_resident_peak() -> bool:
    if sys.platform != "linux":
        return False
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _resident_peak() -> int | None:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None
