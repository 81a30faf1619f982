"""Reading back what a study left on disk: its sealed key, and what an analysis found."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from vivid_bench.errors import InputError
from vivid_bench.study.results import StudyAnalysis
from vivid_bench.study.types import StudyKey

KEY = "key.json"
ANALYSIS = "analysis.json"

Model = TypeVar("Model", bound=BaseModel)


def read_key(study: Path) -> StudyKey:
    """Return the key of a study's folder.

    Raises:
        InputError: a folder without a key, or a file that is none.
    """
    return _read(study / KEY, StudyKey, "a study's key", "name the folder that `vivid-bench study build` made")


def read_analysis(path: Path) -> StudyAnalysis:
    """Return what `study analyze` wrote as `analysis.json`.

    Raises:
        InputError: no such file, or another kind of file.
    """
    fix = f"name the {ANALYSIS} that `vivid-bench study analyze` wrote"
    return _read(path, StudyAnalysis, "a study's analysis", fix)


def _read(path: Path, kind: type[Model], expected: str, fix: str) -> Model:
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(path, expected="a readable file", found=error.strerror or "none", fix=fix) from error
    except UnicodeDecodeError as error:
        raise InputError(path, expected="JSON", found=str(error), fix=fix) from error
    except ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(map(str, detail["loc"])) or "the whole"
        raise InputError(path, expected=expected, found=f"at {place}: {detail['msg']}", fix=fix) from error
