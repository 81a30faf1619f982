"""`vivid-bench data`, as a user types it; what is fetched comes from a server of the test."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clips import Command, DataFolder, box_mask, mask_video, moving_clip
from file_server import Server, serving

TOY = """
import json, sys, types
from vivid_bench.datasets import readers
from vivid_bench.datasets.types import Candidate, Card, Download
from vivid_bench.errors import InputError

settings = json.loads(sys.argv.pop(1))
downloads = {part: Download(**fields) for part, fields in settings["downloads"].items()}


def find(data, task, report):
    if not (data / "toy").is_dir():
        raise InputError(data, expected="a folder toy", found="none", fix="check --data")
    for folder in sorted((data / "toy").iterdir()):
        path = f"toy/{folder.name}"
        yield Candidate(folder.name, task, f"{path}/source.mkv", f"{path}/mask.mkv", "a caption")


toy = types.ModuleType("vivid_bench.datasets.toy")
toy.find = find
toy.CARD = Card(
    name="toy", title="Toy [red]", homepage="https://example.org", licence="CC0", citation="nobody, 2030",
    tasks=("add", "delete"), layout="toy/<id>/source.mkv", certain=False, source="here", downloads=downloads,
)
sys.modules[toy.__name__] = toy
readers.DATASETS = ("toy",)

from vivid_bench.cli import main

sys.modules["vivid_bench.cli.data.fetch"].ASK_FROM_BYTES = settings["ask_from"]
main.main()
"""
"""Runs the command with one set, `toy`, in place of the published ones."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as state:
        yield state


@pytest.fixture
def archive(server: Server, data_folder: DataFolder, tmp_path: Path) -> bytes:
    """A set of two clips, one without its mask."""
    data_folder.add("good", with_reference=False)
    (data_folder.add("half", with_reference=False) / "mask.mkv").unlink()
    with zipfile.ZipFile(tmp_path / "toy.zip", "w") as opened:
        for file in sorted(data_folder.path.rglob("*.mkv")):
            opened.write(file, f"toy/{file.relative_to(data_folder.path)}")
    server.files["/toy.zip"] = (tmp_path / "toy.zip").read_bytes()
    return server.files["/toy.zip"]


@pytest.fixture
def toy_bench(tmp_path: Path, server: Server) -> Run:
    """Run the command with the set `toy`; `answer`: typed on a terminal, else there is none."""
    (tmp_path / "toy.py").write_text(TOY)
    downloads = {"main": {"url": f"{server.url}/toy.zip"}, "second": {"by_hand": "fill in the form [here]"}}

    def run(*arguments: str | Path, expect: int = 0, answer: str = "", ask_from: int = 10**9) -> object:
        settings = json.dumps({"downloads": downloads, "ask_from": ask_from})
        typed, terminal = pty.openpty() if answer else (None, None)
        if typed is not None:
            os.write(typed, f"{answer}\n".encode())
        done = subprocess.run(
            [sys.executable, str(tmp_path / "toy.py"), settings, *map(str, arguments)],
            stdin=subprocess.DEVNULL if terminal is None else terminal, cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "250"}, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        for end in filter(None, (typed, terminal)):
            os.close(end)
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run  # type: ignore[return-value]


def test_list(vivid_bench: Command) -> None:
    found = json.loads(vivid_bench("data", "list", "--json").stdout)
    assert len(found) == 7
    table = vivid_bench("data", "list").stdout
    for card in found:
        assert card["name"] in table
        for field in ("title", "licence", "citation", "homepage", "layout", "source", "tasks"):
            assert card[field]
        for download in card["downloads"].values():
            assert download["hub"] or download["url"] or download["by_hand"]
            assert str(download["url"]).startswith("https://") or not download["url"]


def test_the_list_says_how_certain_a_layout_is_and_how_to_get_a_set(toy_bench: Run) -> None:
    lines = toy_bench("data", "list").stdout.splitlines()
    assert lines[0].split() == ["name", "title", "tasks", "licence", "layout", "fetch"]
    assert re.split("  +", lines[1].rstrip()) == [
        "toy", "Toy [red]", "add, delete", "CC0", "tolerant", "main (size not stated), second by hand"
    ]  # fmt: skip


def test_the_card_of_one_set(toy_bench: Run, server: Server) -> None:
    assert toy_bench("data", "list", "toy").stdout.splitlines() == [
        "toy: Toy [red]",
        "homepage: https://example.org",
        "tasks: add, delete",
        "licence: CC0",
        "citation: nobody, 2030",
        "",
        "layout (tolerant: not known for certain, so read tolerantly):",
        "  toy/<id>/source.mkv",
        "learnt from: here",
        "",
        "parts (vivid-bench data fetch toy --part PART --to DIR; the first where none is named):",
        f"  main: {server.url}/toy.zip, size not stated",
        "  second: by hand: fill in the form [here]",
        "to use it: vivid-bench run --suite toy --task add --data DIR --method NAME",
    ]
    assert json.loads(toy_bench("data", "list", "toy", "--json").stdout)["certain"] is False
    assert 'did you mean "toy"' in toy_bench("data", "list", "tooy", expect=2).stderr
    assert server.requests == []


def test_fetch_then_check(toy_bench: Run, archive: bytes, tmp_path: Path, server: Server) -> None:
    done = toy_bench("data", "fetch", "toy", "--to", "here")
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "Toy [red], https://example.org",
        "licence: CC0",
        "cite: nobody, 2030",
        f"toy main: {server.url}/toy.zip, {len(archive) / 1e6:.1f} MB to download",
        "toy main: here, here; `vivid-bench data check toy --data here` reads it through",
    ]
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == [".fetched", "toy"]
    requests = len(server.requests)
    assert (
        "remove here/.fetched/toy-main.json to fetch it again"
        in toy_bench("data", "fetch", "toy", "--to", "here").stderr
    )
    assert len(server.requests) == requests

    done = toy_bench("data", "check", "toy", "--data", "here", expect=1)
    assert done.stdout.splitlines() == [
        "toy, add: 1 samples fit, 1 problems, 0 warnings",
        "toy, delete: 1 samples fit, 1 problems, 0 warnings",
    ]
    assert done.stderr.count("toy/half/mask.mkv") == 1
    found = json.loads(toy_bench("data", "check", "toy", "--data", "here", "--task", "add", "--json", expect=1).stdout)
    assert list(found["tasks"]) == ["add"]
    assert (found["tasks"]["add"]["n_samples"], len(found["tasks"]["add"]["problems"])) == (1, 1)
    done = toy_bench("data", "check", "toy", "--data", "here", "--limit", "1")
    assert "toy, add: 1 samples fit, 0 problems, 0 warnings" in done.stdout
    done = toy_bench("check", "--suite", "toy", "--data", "here", expect=1)
    assert done.stdout == "2 samples fit, 1 problems, 0 warnings\n"
    done = toy_bench("run", "--suite", "toy", "--task", "all", "--data", "here", "--method", "copy-source", expect=2)
    assert done.stderr.count("toy/half/mask.mkv") == 1
    assert "here: 1 problems:" in done.stderr


def test_a_fetch_that_was_cut_off_is_said_and_goes_on(toy_bench: Run, archive: bytes, server: Server) -> None:
    server.cut_after = len(archive) // 2
    done = toy_bench("data", "fetch", "toy", "--to", "here", expect=2)
    assert "error: " in done.stderr
    assert "run the same command again to go on" in done.stderr
    done = toy_bench("data", "check", "toy", "--data", "here", expect=1)
    assert "problem: here: expected a folder toy, found none" in done.stderr
    assert "toy-main is not fetched whole" in done.stderr
    server.cut_after = None
    assert (
        f"{(len(archive) - len(archive) // 2) / 1e6:.1f} MB" in toy_bench("data", "fetch", "toy", "--to", "here").stderr
    )


def test_much_is_not_fetched_without_a_yes(toy_bench: Run, archive: bytes, server: Server, tmp_path: Path) -> None:
    arguments = ("data", "fetch", "toy", "--to", "here")
    size = f"{len(archive) / 1e6:.1f} MB to download"
    assert f"{size}; give --yes to agree" in toy_bench(*arguments, ask_from=10, expect=2).stderr
    done = toy_bench(*arguments, ask_from=10, answer="n", expect=1)
    assert f"{size}; go on? [y/N]" in done.stderr
    assert not (tmp_path / "here").exists()
    toy_bench(*arguments, ask_from=10, answer="y")
    assert (tmp_path / "here" / "toy").is_dir()
    toy_bench("data", "fetch", "toy", "--to", "there", "--yes", ask_from=10)
    assert (tmp_path / "there" / "toy").is_dir()


def test_a_part_that_a_person_fetches(toy_bench: Run, server: Server, tmp_path: Path) -> None:
    done = toy_bench("data", "fetch", "toy", "--part", "second", "--to", "here", expect=2)
    assert "licence: CC0" in done.stderr
    assert "fill in the form [here]; then `vivid-bench data check toy --data DIR`" in done.stderr
    assert server.requests == []
    assert not (tmp_path / "here").exists()


def test_a_server_without_the_file(toy_bench: Run, tmp_path: Path) -> None:
    done = toy_bench("data", "fetch", "toy", "--to", "here", expect=2)
    assert "toy.zip: the server answered 404" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "here").exists()


def test_check_of_what_cannot_be(toy_bench: Run) -> None:
    for arguments, words in (
        (("toy", "--data", "nowhere"), "nowhere: expected the folder of toy, found nothing; check --data"),
        (("toy", "--data", ".", "--task", "modify"), "expected modify samples in toy, found only add and delete"),
        (("toy", "--data", ".", "--index"), "--index is for vivid10m"),
        (("folder", "--data", "my clips"), "`vivid-bench check --data 'my clips'` checks your own clips"),
        (("tooy", "--data", "."), 'unknown data set "tooy": did you mean "toy"?'),
    ):
        assert words in toy_bench("data", "check", *arguments, expect=2).stderr


def test_check_makes_the_index_of_vivid10m(vivid_bench: Command, data_folder: DataFolder) -> None:
    folder = data_folder.add("00000001", with_reference=False)
    (folder / "caption.txt").write_text("a cat")
    done = vivid_bench("data", "check", "vivid10m", "--data", data_folder.path, "--task", "add", "--index")
    assert f"index: {data_folder.path / 'index.parquet'}" in done.stderr
    assert done.stdout.startswith("vivid10m, add: 1 samples fit, 0 problems, ")
    assert (data_folder.path / "index.parquet").is_file()


def test_check_of_a_published_set(vivid_bench: Command, tmp_path: Path) -> None:
    """DAVIS, as far as its reader needs it, with a mask that is missing."""
    import cv2

    images, masks = (tmp_path / "DAVIS" / kind / "480p" / "bear" for kind in ("JPEGImages", "Annotations"))
    for folder, frames in ((images, moving_clip(3)), (masks, mask_video(box_mask(3, 24, 32)))):
        folder.mkdir(parents=True)
        for index, frame in enumerate(frames):
            cv2.imwrite(str(folder / f"{index:05}.{'jpg' if folder == images else 'png'}"), frame)
    assert vivid_bench("data", "check", "davis", "--data", tmp_path).stdout == (
        "davis, delete: 1 samples fit, 0 problems, 0 warnings\n"
    )
    (masks / "00001.png").unlink()
    done = vivid_bench("data", "check", "davis", "--data", tmp_path, expect=1)
    assert "problem: " in done.stderr
    assert (
        vivid_bench("check", "--suite", "davis", "--data", tmp_path, "--task", "delete", expect=1).stderr == done.stderr
    )


def test_fetch_of_published_sets_without_a_network(vivid_bench: Command) -> None:
    done = vivid_bench("data", "fetch", "davis-edit", "--to", "here", expect=2)
    assert "HF_HUB_OFFLINE is set" in done.stderr
    done = vivid_bench("data", "fetch", "youtube-vos", "--to", "here", expect=2)
    assert "cannot be fetched by a program" in done.stderr
