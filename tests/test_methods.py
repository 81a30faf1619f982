from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from vivid_bench import methods
from vivid_bench.errors import InputError, MethodError, UnknownNameError
from vivid_bench.method_card import read_card
from vivid_bench.methods import KnownMethod, find_method, known_methods
from vivid_bench.types import TASKS, EditRequest, Frames


class FromAPackage:
    """Returns what it gets."""

    tasks = ("add",)

    def __init__(self, device: str) -> None: ...

    def edit(self, request: EditRequest) -> Frames:
        return request.frames


CARD = """
name = "mine"
version = "2"
kind = "method"
tasks = ["delete"]
adapter = "adapter:Mine"
[parameters]
strength = 0.5
"""

ADAPTER = """
class Mine:
    def __init__(self, device, strength=1.0):
        self.strength = strength

    def edit(self, request):
        return request.frames
"""


def test_every_shipped_method_has_a_complete_card() -> None:
    methods = known_methods()
    assert next(iter(methods)) == "vivid"
    for known in methods.values():
        card = known.card
        assert card.tasks, card.name
        assert card.summary, card.name
        assert card.licence != "not stated", card.name


def needs_nothing(known: KnownMethod) -> bool:
    card = known.card
    return not (card.command or card.is_card_only or card.kind == "method" or (card.card and card.card.weights))


@pytest.mark.parametrize("name", [name for name, known in known_methods().items() if needs_nothing(known)])
def test_every_weight_free_method_loads(name: str) -> None:
    assert callable(known_methods()[name].load("cpu").edit)


def test_the_controls_cover_every_task() -> None:
    controls = [known.card for known in known_methods().values() if known.card.kind == "control"]
    assert {card.name for card in controls} == {
        "copy-source", "grey-fill", "frozen-frame", "codec-roundtrip", "colour-fill", "moved-keyframe",
    }  # fmt: skip
    for task in TASKS:
        assert sum(task in card.tasks for card in controls) >= 4


@pytest.fixture
def entry_points(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two packages that register a method each; one of them is broken."""
    group = methods.ENTRY_POINT_GROUP
    points = [
        EntryPoint("theirs", f"{__name__}:FromAPackage", group),
        EntryPoint("broken", "no_such_package:Method", group),
    ]
    monkeypatch.setattr(methods, "entry_points", lambda group: points)
    known_methods.cache_clear()
    yield
    known_methods.cache_clear()


@pytest.mark.usefixtures("entry_points")
def test_entry_points_are_methods_and_a_broken_one_takes_no_other_away(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "vivid_bench"):
        known = find_method("theirs")
    assert (known.card.tasks, known.card.summary) == (("add",), "Returns what it gets.")
    assert callable(known.load("cpu").edit)
    assert known.ref().code_sha256 is not None
    assert "method broken (no_such_package:Method) left out: ModuleNotFoundError" in caplog.text
    assert "telea" in known_methods()


def test_unknown_method_suggests() -> None:
    with pytest.raises(UnknownNameError, match='did you mean "telea"'):
        find_method("talea")


def test_adapter_file_without_a_card(adapter: Callable[[str, str], str]) -> None:
    known = find_method(adapter("MyMethod", "return request.frames"))
    assert known.card.name == "my-method"
    assert known.card.tasks == ("delete",)
    assert known.ref().code_sha256 is not None
    assert known.load("cpu").edit  # type: ignore[truthy-function]


def test_adapter_file_with_a_card(tmp_path: Path) -> None:
    (tmp_path / "method.toml").write_text(CARD)
    (tmp_path / "adapter.py").write_text(ADAPTER)
    known = find_method(f"{tmp_path / 'adapter.py'}:Mine")
    assert (known.card.name, known.card.version) == ("mine", "2")
    assert known.load("cpu").strength == 0.5  # type: ignore[attr-defined]


def test_other_code_is_another_method(tmp_path: Path) -> None:
    path = tmp_path / "adapter.py"
    path.write_text(ADAPTER)
    before = find_method(f"{path}:Mine").ref()
    path.write_text(ADAPTER + "# changed\n")
    assert find_method(f"{path}:Mine").ref() != before


@pytest.mark.parametrize(
    ("content", "target", "words"),
    [
        ("class Other: ...", "Mine", 'has no class "Mine"'),
        ("import no_such_package", "Mine", "cannot be imported: ModuleNotFoundError"),
        ("class Mine:\n    tasks = ('explode',)", "Mine", "declares unusable attributes"),
    ],
)
def test_broken_adapter_files(tmp_path: Path, content: str, target: str, words: str) -> None:
    (tmp_path / "adapter.py").write_text(content)
    with pytest.raises(MethodError, match=words):
        find_method(f"{tmp_path / 'adapter.py'}:{target}")


def test_adapter_without_edit_cannot_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "adapter.py").write_text("class Mine:\n    def __init__(self, device): ...\n")
    known = find_method(f"{tmp_path / 'adapter.py'}:Mine")
    with pytest.raises(MethodError, match=r"has no method `edit\(request\)`"):
        known.load("cpu")


def test_a_card_for_another_class_is_refused(tmp_path: Path) -> None:
    (tmp_path / "method.toml").write_text(CARD)
    (tmp_path / "adapter.py").write_text(ADAPTER + "class Other(Mine): ...\n")
    with pytest.raises(MethodError, match='expected kind "method" and the adapter adapter:Other'):
        find_method(f"{tmp_path / 'adapter.py'}:Other")


def test_a_name_that_ships_is_refused(tmp_path: Path) -> None:
    (tmp_path / "adapter.py").write_text("class Telea:\n    def __init__(self, device): ...\n")
    with pytest.raises(MethodError, match="a method that ships is called telea"):
        find_method(f"{tmp_path / 'adapter.py'}:Telea")
    with pytest.raises(MethodError, match="name the class too"):
        find_method(str(tmp_path / "adapter.py"))


def test_files_imported_beside_an_adapter_are_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_up = ModuleType("made_up")
    made_up.__file__ = "_made_up.py"  # as torch.classes does
    monkeypatch.setitem(sys.modules, "made_up", made_up)
    monkeypatch.chdir(tmp_path)
    content = "from dataclasses import dataclass\n\nimport beside_it\n\n\n@dataclass\nclass Own:\n    device: str\n"
    (tmp_path / "adapter.py").write_text(content + "\n    def edit(self, request):\n        return request.frames\n")
    (tmp_path / "beside_it.py").write_text("VALUE = 1\n")
    known = find_method(f"{tmp_path / 'adapter.py'}:Own")
    assert [p.name for p in known.code_files] == ["adapter.py", "beside_it.py"]
    before = known.ref().code_sha256
    (tmp_path / "beside_it.py").write_text("VALUE = 2\n")
    assert known.ref().code_sha256 != before
    assert callable(known.load("cpu").edit)


def test_missing_adapter_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected an adapter file, found nothing"):
        find_method(f"{tmp_path / 'none.py'}:Mine")


def test_card_with_a_misspelt_key(tmp_path: Path) -> None:
    (tmp_path / "method.toml").write_text(CARD.replace("version", "vershun"))
    with pytest.raises(InputError, match="vershun"):
        read_card(tmp_path / "method.toml")


def test_a_method_that_needs_keyframes_must_take_them(tmp_path: Path) -> None:
    (tmp_path / "method.toml").write_text(CARD.replace("[parameters]", "needs_keyframes = true\n[parameters]"))
    with pytest.raises(InputError, match="needs_keyframes is true, so keyframes must be true as well"):
        read_card(tmp_path / "method.toml")


def test_missing_weights_are_named(tmp_path: Path) -> None:
    (tmp_path / "method.toml").write_text(CARD.replace("[parameters]", 'weights = "weights"\n[parameters]'))
    (tmp_path / "adapter.py").write_text(ADAPTER)
    with pytest.raises(MethodError, match="method mine: expected its weights at"):
        find_method(f"{tmp_path / 'adapter.py'}:Mine").ref()
