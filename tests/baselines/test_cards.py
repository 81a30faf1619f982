"""The cards of all methods that ship: complete, honest, and shown in the documents as they are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml
from stand_ins.checkouts import MAKERS

from vivid_bench import cards
from vivid_bench.cli.main import app
from vivid_bench.errors import InputError, MethodError
from vivid_bench.method_card import CardFacts, MethodCard
from vivid_bench.methods import KnownMethod, known_methods
from vivid_bench.registry import load_target

ROOT = Path(__file__).parents[2]
METHODS = {name: known for name, known in known_methods().items() if known.card.kind != "control"}
PROGRAMS = {name: known for name, known in METHODS.items() if known.card.command}
every_method = pytest.mark.parametrize("known", METHODS.values(), ids=list(METHODS))
every_program = pytest.mark.parametrize("known", PROGRAMS.values(), ids=list(PROGRAMS))

# Every method of the field that takes a mask sequence and has public code.
FIELD = {
    "vace-1.3b", "vace-14b", "sd15-inpaint", "flux-fill-keyframe", "easyanimate-inp", "cogvideox-fun-inp",
    "minimax-remover", "propainter", "diffueraser", "videopainter", "cococo", "rose", "floed", "videocomposer",
    "e2fgvi", "fgt", "fuseformer", "sttn",
}  # fmt: skip
WEIGHT_FREE = {"telea", "navier-stokes", "temporal-median", "flow-propagation", "biharmonic"}


def facts(card: MethodCard) -> CardFacts:
    assert card.card is not None, f"{card.name} has no table [card]"
    return card.card


def readme(known: KnownMethod) -> str:
    return (known.folder / "README.md").read_text()


def test_all_methods_of_the_field_are_here() -> None:
    assert set(METHODS) == FIELD | WEIGHT_FREE | {"vivid"}


@every_method
def test_the_card_is_complete(known: KnownMethod) -> None:
    card = known.card
    assert card.summary
    assert card.licence != "not stated"
    for value in facts(card).model_dump(exclude={"record", "code", "weights"}).values():
        assert value.strip()
    for weights in facts(card).weights:
        assert weights.revision or weights.note, f"{weights.where}: neither pinned nor said why"
    if card.name != "vivid":
        assert card.name.replace("-", "_").replace(".", "_") == known.folder.name
        assert readme(known).startswith(f"# {card.name}\n")


@every_method
def test_the_state_is_what_was_done(known: KnownMethod) -> None:
    card, state = known.card, facts(known.card).state
    assert (facts(card).record is not None) == (state == "ran here")
    if state == "ran here":
        runs = list((ROOT / str(facts(card).record)).glob("*/run.json"))
        assert runs, "there is no such record"
        assert all(f'"name": "{card.name}"' in path.read_text() for path in runs)
    elif state == "contract tested with a stand-in":
        assert card.command
        assert card.name in MAKERS
    elif state == "card only":
        assert not card.command
        assert not card.adapter
    if card.adapter:
        assert isinstance(load_target(card.adapter), type)


@pytest.mark.parametrize("name", [name for name, known in METHODS.items() if known.card.is_card_only])
def test_a_card_alone_is_not_run(name: str) -> None:
    with pytest.raises(MethodError, match="it is a card only, nothing here runs it; its own code is at https://"):
        METHODS[name].load("cuda")


@every_method
def test_what_the_readme_says_to_type_parses(known: KnownMethod) -> None:
    if known.card.name == "vivid":
        return
    group = typer.main.get_command(app)
    blocks = re.findall(r"```sh\n(.*?)```", readme(known), flags=re.DOTALL)
    lines = [line.partition("  #")[0] for block in blocks for line in block.splitlines()]
    for line in [line for line in lines if line.startswith("vivid-bench ")]:
        _, name, *arguments = shlex.split(line)
        command = group.commands[name]  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            name, *arguments = arguments
            command = command.commands[name]
        assert command.make_context(name, arguments).params


@every_program
def test_a_program_says_how_to_set_it_up(known: KnownMethod) -> None:
    card, text = known.card, readme(known)
    assert card.checkout
    assert facts(card).code in text
    assert card.checkout.revision in text
    assert f"vivid-bench methods setup {card.name} --repo" in text
    recipe = yaml.safe_load((known.folder / "environment.yml").read_text())
    assert f"/envs/{recipe['name']}/bin/python" in text
    assert re.match(r"python=3\.\d+", recipe["dependencies"][0])
    assert f"conda env create -f baselines/{known.folder.name}/environment.yml" in text
    names = {
        re.split(r"[=<>\[]", package)[0].lower().replace("_", "-") for package in recipe["dependencies"][-1]["pip"]
    }
    packages = {"cv2": "opencv-python", "PIL": "pillow", "skimage": "scikit-image"}
    wanted = {packages.get(module, module).lower().replace("_", "-") for module in card.checkout.modules}
    assert wanted <= names, "the set-up check asks for what the recipe does not install"


@pytest.mark.parametrize(
    ("document", "block"),
    [("README.md", "methods: table"), ("BENCHMARK.md", "methods: cards"), ("BENCHMARK.md", "datasets: cards")],
)
def test_the_documents_show_the_cards(document: str, block: str) -> None:
    text = (ROOT / document).read_text()
    assert f"<!-- {block} -->" in text
    assert cards.with_cards(text) == text, f"make it anew: python -m vivid_bench.cards {document}"


def test_a_document_gets_its_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "doc.md"
    path.write_text("# Title\n\n<!-- methods: table -->\nold\n<!-- /methods -->\n\nafter\n")
    monkeypatch.setattr("sys.argv", ["cards", str(path)])
    cards.main()
    text = path.read_text()
    assert text.startswith("# Title\n\n<!-- methods: table -->\n| method | tasks |")
    assert text.endswith("|\n<!-- /methods -->\n\nafter\n")
    assert "| [telea](baselines/telea/README.md) | delete |" in text
    assert "copy-source" not in text
    assert cards.with_cards(text) == text
    path.write_text("# No place\n")
    with pytest.raises(InputError, match="expected <!-- methods: table -->"):
        cards.main()
