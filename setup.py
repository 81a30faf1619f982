"""Packages that live at the top of the repository and install inside `vivid_bench`; all else is in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

# A build may run this file from any folder; the file lists below are relative to the repository.
ROOT = Path(__file__).resolve().parent
TOP_LEVEL = ("baselines", "tasks")


def packages() -> list[str]:
    """Return the package names, with `baselines` and `tasks` moved below `vivid_bench`."""
    own = find_packages(str(ROOT), include=["vivid_bench", "vivid_bench.*"])
    nested = find_packages(str(ROOT), include=[pattern for top in TOP_LEVEL for pattern in (top, f"{top}.*")])
    return own + [f"vivid_bench.{name}" for name in nested]


setup(
    packages=packages(),
    package_dir={f"vivid_bench.{top}": top for top in TOP_LEVEL},
    package_data={
        "vivid_bench": [
            "py.typed",
            *(f"**/*.{suffix}" for suffix in ("toml", "json", "safetensors", "txt", "md", "html", "css", "js")),
        ],
        "vivid_bench.baselines": ["**/*.toml", "**/*.md", "**/*.yml"],
        "vivid_bench.tasks": ["**/*.toml", "**/*.jsonl", "**/*.mkv", "**/*.md"],
    },
)
