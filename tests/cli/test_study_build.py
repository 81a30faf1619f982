"""`vivid-bench study build`, typed as a lab types it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from clips import Command
from made_study import METHODS, write_runs
from typer.testing import CliRunner

from vivid_bench.cli.main import app
from vivid_bench.errors import InputError, UnknownNameError, VividBenchError
from vivid_bench.study.saved import read_key


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    write_runs(folder)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    return tmp_path


def build(folder: Path, *arguments: str, out: str = "study") -> str:
    """Build in this process; what it raises is raised here."""
    command = ["study", "build", "--raters", "2", "--per-rater", "4", "--out", str(folder / out)]
    done = CliRunner().invoke(app, [*command, "--data", str(folder / "data"), *arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output if done.exit_code == 0 else f"exit {done.exit_code}: {done.output}"


def test_a_study_from_the_command_line(folder: Path, vivid_bench: Command) -> None:
    done = vivid_bench(
        "study", "build", "--runs", folder / "records", "--design", "pairwise", "--questions",
        "text-alignment,overall", "--raters", "2", "--per-rater", "4", "--seed", "3", "--ties", "--out",
        folder / "study", "--data", folder / "data", "--deadline", "2999-12-31",
    )  # fmt: skip
    key = read_key(folder / "study")
    assert (key.design, key.questions, key.seed, key.ties) == ("pairwise", ("text-alignment", "overall"), 3, True)
    assert (key.deadline, len(key.raters), len(key.raters[0].items)) == ("2999-12-31", 2, 4 + 7 + 2 + 1)
    assert f"study {key.study}, 2 packets of 14 items" in done.stdout
    assert f"folder, modify: {', '.join(METHODS)} on 4 samples" in done.stdout
    assert "study: 4 clips" in done.stderr


def test_runs_may_follow_each_other_as_a_shell_spells_them_out(folder: Path) -> None:
    first, second, _ = sorted(path.parent for path in (folder / "records").rglob("run.json"))
    build(folder, "--runs", str(first), str(second), "--questions", "overall")
    assert [run.method for run in read_key(folder / "study").runs] == list(METHODS[:2])
    build(folder, "--runs", str(first), "--runs", str(second), out="again")
    assert read_key(folder / "again").runs == read_key(folder / "study").runs
    assert len(read_key(folder / "again").questions) == 5


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("--design", "pairs"), UnknownNameError, 'did you mean "pairwise"'),
        (("--questions", "overal"), UnknownNameError, 'did you mean "overall"'),
        (("--questions", ""), UnknownNameError, "unknown question"),
        (("--questions", "overall,overall"), VividBenchError, "twice"),
        (("--design", "rating", "--ties"), VividBenchError, "--ties"),
        (("--deadline", "tomorrow"), VividBenchError, "YYYY-MM-DD"),
        (("--deadline", "2020-01-01"), VividBenchError, "is past"),
        (("--edits", "secret-ant"), VividBenchError, "METHOD=DIR"),
        (("--per-rater", "13"), VividBenchError, "at most 12 items"),
    ],
)
def test_what_makes_no_study_is_one_sentence(
    folder: Path, arguments: tuple[str, ...], error: type[VividBenchError], words: str
) -> None:
    with pytest.raises(error, match=words):
        build(folder, "--runs", str(folder / "records"), *arguments)
    assert sorted(path.name for path in folder.iterdir()) == ["data", "records"]


def test_the_runs_have_to_be_named(folder: Path) -> None:
    assert "--runs" in build(folder)


def test_all_questions_are_those_that_there_are() -> None:
    from vivid_bench.cli.study.build import ALL_QUESTIONS
    from vivid_bench.study.types import QUESTIONS

    assert tuple(ALL_QUESTIONS.split(",")) == QUESTIONS


def test_a_labs_own_consent_text_is_what_raters_read(folder: Path) -> None:
    text = "Our board says: <b>yes</b>.\n\nStop when you like.\n"
    (folder / "consent.txt").write_text(text, encoding="utf-8-sig")
    build(folder, "--runs", str(folder / "records"), "--consent", str(folder / "consent.txt"))
    page = (folder / "study" / "packets" / "r001" / "index.html").read_text()
    assert '"consent": "Our board says: \\u003cb\\u003eyes' in page
    (folder / "consent.txt").write_text(" \n")
    with pytest.raises(InputError, match="an empty file"):
        build(folder, "--runs", str(folder / "records"), "--consent", str(folder / "consent.txt"), out="again")
