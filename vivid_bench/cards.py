"""The cards of methods and data sets as Markdown, for README.md and BENCHMARK.md.

`python -m vivid_bench.cards README.md BENCHMARK.md` writes them between each file's markers anew.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from vivid_bench.datasets.readers import DATASETS, load_reader
from vivid_bench.errors import InputError
from vivid_bench.files import write_text
from vivid_bench.method_card import CardFacts, MethodCard, WeightsFacts
from vivid_bench.methods import known_methods

_ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"<!-- (methods: table|methods: cards|datasets: cards) -->\n(.*?)<!-- /(?:\w+) -->", re.DOTALL)


def methods_table() -> str:
    """Return the short table of all methods that have a card: what each does, under which licence, and its state."""
    rows = (
        [f"[{card.name}]({_folder(card)}/README.md)" if _folder(card) else card.name, ", ".join(card.tasks),
         card.summary, card.licence, _state(facts)]
        for card, facts in _carded()
    )  # fmt: skip
    return _markdown(["method", "tasks", "what it is", "licence", "state"], rows)


def method_cards() -> str:
    """Return the cards of all methods that have one, a row each, "not stated" where nothing says it."""
    rows = (
        [f"**{card.name}** {card.version}", ", ".join(card.tasks), card.paper or "–", card.licence, facts.size,
         f"{facts.resolution}; {facts.frames}", facts.environment, facts.memory, _weights(facts.weights), _state(facts)]
        for card, facts in _carded()
    )  # fmt: skip
    return _markdown(
        ["method", "tasks", "paper", "licence", "parameters", "resolution; frames", "environment", "GPU memory",
         "weights", "state"],
        rows,
    )  # fmt: skip


def dataset_cards() -> str:
    """Return the cards of all data sets that can be read, a row each."""
    cards = [load_reader(name).CARD for name in DATASETS]
    rows = (
        [f"**{card.name}**", f"[{card.title}]({card.homepage})", ", ".join(card.tasks), card.licence,
         "certain" if card.certain else "tolerant", card.source]
        for card in cards
    )  # fmt: skip
    return _markdown(["name", "set", "tasks", "licence", "layout", "read off"], rows)


def with_cards(text: str) -> str:
    """Return a document with its blocks, e.g. `<!-- methods: table -->` … `<!-- /methods -->`, made anew."""
    made = {"methods: table": methods_table, "methods: cards": method_cards, "datasets: cards": dataset_cards}
    return _BLOCK.sub(lambda m: f"<!-- {m[1]} -->\n{made[m[1]]()}<!-- /{m[1].partition(':')[0]} -->", text)


def _carded() -> list[tuple[MethodCard, CardFacts]]:
    # Only what ships has its place in our documents.
    ours = (known.card for known in known_methods().values() if not known.code_files)
    return [(card, card.card) for card in ours if card.card is not None]


def _folder(card: MethodCard) -> str | None:
    folder = f"baselines/{card.name.replace('-', '_').replace('.', '_')}"
    return folder if (_ROOT / folder).is_dir() else None


def _state(facts: CardFacts) -> str:
    return f"[{facts.state}]({facts.record})" if facts.record else facts.state


def _weights(weights: Iterable[WeightsFacts]) -> str:
    return "; ".join(
        item.where + (f", {item.gigabytes:g} GB" if item.gigabytes else "") + (" (gated)" if item.gated else "")
        for item in weights
    ) or "none"  # fmt: skip


def _markdown(columns: list[str], rows: Iterable[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def main() -> None:
    """Rewrite the blocks of the named documents."""
    for path in map(Path, sys.argv[1:]):
        text = path.read_text(encoding="utf-8")
        if not _BLOCK.search(text):
            marker = "<!-- methods: table --> or cards, and <!-- /methods -->"
            raise InputError(path, expected=marker, found="neither", fix="add them where the methods belong")
        write_text(path, with_cards(text))


if __name__ == "__main__":
    main()
