from __future__ import annotations

from pathlib import Path

import pytest

from vivid_bench import method_settings
from vivid_bench.errors import InputError
from vivid_bench.method_settings import load, save


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config" / "methods.toml"
    monkeypatch.setenv("VIVID_BENCH_CONFIG", str(path))
    return path


def test_what_is_saved_is_loaded_and_others_stay(file: Path) -> None:
    assert load("vace-1.3b") == {}
    odd = {"repo": '/a "b"\\c/é\n\x7f', "weights": "/w"}
    assert save("vace-1.3b", odd) == file
    save("other", {"python": "/p"})
    assert load("vace-1.3b") == odd
    assert load("other") == {"python": "/p"}
    save("vace-1.3b", {"repo": "/new"})
    assert load("vace-1.3b") == {"repo": "/new"}
    assert load("other") == {"python": "/p"}


@pytest.mark.parametrize("content", ["[a", "[a]\nrepo = 1", "[a]\nplace = 'x'", "a = 'x'", "\ufffd\x00"])
def test_a_broken_file_is_named_with_a_fix(file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content)
    with pytest.raises(InputError, match=r"methods\.toml: expected .* run `vivid-bench methods setup` again"):
        load("a")


def test_without_the_variable_it_lies_in_the_config_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIVID_BENCH_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/x")
    assert method_settings.path() == Path("/x/vivid-bench/methods.toml")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert method_settings.path() == Path("/home/me/.config/vivid-bench/methods.toml")


def test_settings_that_cannot_be_written_say_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(method_settings.VARIABLE, str(tmp_path / "file" / "methods.toml"))
    with pytest.raises(InputError, match=f"set {method_settings.VARIABLE} to another file"):
        method_settings.save("a", {"repo": "/r"})
