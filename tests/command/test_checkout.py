from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vivid_bench import method_settings
from vivid_bench.command.checkout import checklist, packages, revision
from vivid_bench.errors import MethodError
from vivid_bench.methods import KnownMethod, find_method

Outside = Callable[..., Path]


def states(known: KnownMethod, **settings: str) -> dict[str, str]:
    settings = {"python": sys.executable, **settings}
    return {f"{check.what} {Path(check.text).name}": check.state for check in checklist(known.card, settings)}


def test_a_whole_checkout(repo: Path, outside: Outside) -> None:
    found = states(find_method(str(outside())), repo=str(repo))
    assert set(found.values()) == {"ok"}
    assert [name.split()[0] for name in found] == ["file", "revision", "weights", "Python", "module"]


def test_what_is_missing_is_said(repo: Path, outside: Outside) -> None:
    (repo / "weights" / "net.pth").unlink()
    known = find_method(str(outside(revision="0" * 40, modules='["json", "no_such_module"]')))
    checks = {
        check.what + check.state: check
        for check in checklist(known.card, {"repo": str(repo), "python": sys.executable})
    }
    assert f"the command line was read from {'0' * 40}" in checks["revisionwarning"].text
    assert str(revision(repo)) in checks["revisionwarning"].text
    assert checks["weightsmissing"].text == str(repo / "weights" / "net.pth")
    assert "No module named 'no_such_module'" in checks["modulemissing"].text
    assert not any(check.blocks for check in checks.values())


def test_another_folder_blocks(tmp_path: Path, outside: Outside) -> None:
    (check,) = checklist(find_method(str(outside())).card, {"repo": str(tmp_path / "none"), "python": "x"})
    assert (check.state, check.blocks) == ("missing", True)


def test_a_missing_python_blocks_and_weights_may_lie_elsewhere(repo: Path, tmp_path: Path, outside: Outside) -> None:
    settings = {"repo": str(repo), "python": str(repo / "go.py"), "weights": str(tmp_path)}
    card = find_method(str(outside(run=["{python}", "{weights}", "{requests}{edits}"]))).card
    checks = list(checklist(card, settings))
    assert [check.text for check in checks if check.blocks] == [str(repo / "go.py")]
    assert [(check.state, check.text) for check in checks if check.what == "weights"] == [("ok", str(tmp_path))]


def test_the_revision_says_when_files_were_changed(repo: Path, tmp_path: Path) -> None:
    clean = revision(repo)
    assert clean is not None
    assert len(clean) == 40
    (repo / "go.py").write_text("changed")
    changed = revision(repo)
    assert changed is not None
    assert changed.startswith(f"{clean}+changes.")
    assert revision(repo) == changed
    (repo / "go.py").write_text("otherwise")
    assert str(revision(repo)).startswith(f"{clean}+changes.")
    assert revision(repo) != changed
    assert revision(repo / "weights") is None
    assert revision(tmp_path / "nothing") is None


def test_why_not_here_names_the_fix(repo: Path, outside: Outside) -> None:
    known = find_method(str(outside()))
    assert "`vivid-bench methods setup outside --repo PATH`" in str(known.why_not_here("cpu"))
    with pytest.raises(MethodError, match="method outside cannot run here: it is not set up"):
        known.load("cpu")
    method_settings.save("outside", {"repo": str(repo), "python": sys.executable})
    assert known.why_not_here("cpu") is None
    (repo / "weights" / "net.pth").unlink()
    assert "net.pth is not there" in str(known.why_not_here("cpu"))
    (repo / "weights" / "net.pth").write_bytes(b"weights")
    method_settings.save("outside", {"repo": str(repo), "python": "/no/python"})
    assert "its Python /no/python is not there" in str(known.why_not_here("cpu"))
    elsewhere = find_method(str(outside(run=["{weights}", "{requests}{edits}"])))
    assert "`vivid-bench methods setup outside --repo PATH --weights PATH`" in str(elsewhere.why_not_here("cpu"))
    needs_gpu = find_method(str(outside(needs_gpu=True)))
    assert "needs a GPU" in str(needs_gpu.why_not_here("cpu"))
    assert "needs a GPU" not in str(needs_gpu.why_not_here("cuda"))


def test_checkout_and_weights_are_part_of_the_method(repo: Path, outside: Outside) -> None:
    known = find_method(str(outside()))
    method_settings.save("outside", {"repo": str(repo), "python": sys.executable})
    before = known.ref()
    assert before.parameters["checkout_revision"] == revision(repo)
    (repo / "weights" / "net.pth").write_bytes(b"other weights")
    assert known.ref().parameters["weights_fingerprint"] != before.parameters["weights_fingerprint"]
    (repo / "go.py").write_text("changed")
    assert known.ref().parameters["checkout_revision"] == f"{revision(repo)}"
    assert "+changes" in str(known.ref().parameters["checkout_revision"])


def test_without_git_the_files_are_part_of_the_method(repo: Path, outside: Outside) -> None:
    known = find_method(str(outside()))
    shutil.rmtree(repo / ".git")
    method_settings.save("outside", {"repo": str(repo), "python": sys.executable})
    before = known.ref().parameters["checkout_revision"]
    assert str(before).startswith("no git checkout, ")
    (repo / "go.py").write_text("changed")
    assert known.ref().parameters["checkout_revision"] != before


def test_an_environment_is_known_by_its_packages(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    assert packages(python) is None
    site = tmp_path / "lib" / "python3.10" / "site-packages"
    for name in ("torch-2.7.1", "torchvision-0.22.1", "numpy-2.1.0"):
        (site / f"{name}.dist-info").mkdir(parents=True)
    said = packages(python)
    assert said is not None
    assert said.startswith("torch 2.7.1, 3 packages ")
    (site / "numpy-2.1.0.dist-info").rename(site / "numpy-2.1.1.dist-info")
    assert packages(python) != said
