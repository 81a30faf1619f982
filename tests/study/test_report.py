"""The report of a user study: its words, its three formats, its figures."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made_analysis import STUDY, made_analysis
from matplotlib.figure import Figure

from vivid_bench.errors import InputError
from vivid_bench.study.report import write_report
from vivid_bench.study.report.build import build_document
from vivid_bench.study.report.document import Document, Section
from vivid_bench.study.report.figures import stem
from vivid_bench.study.report.formats import as_html, as_latex, as_markdown
from vivid_bench.study.report.outcomes import sentence
from vivid_bench.study.report.trust import trust_sentence
from vivid_bench.study.results import StudyAnalysis
from vivid_bench.study.saved import read_analysis
from vivid_bench.study.types import Design
from vivid_bench.tables.blocks import Block

HOSTILE = "</td><script>alert(1)</script>|`a` \\input{x} $x_1$ 100% &"
PLACE = ("made", "delete")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated study's report on disk."""
    out = tmp_path_factory.mktemp("report")
    write_report(made_analysis(), out)
    return out


@cache
def built(design: Design = "pairwise", *, simulated: bool = False) -> Document:
    """The document of a study; pictures take a while to lay out."""
    return build_document(made_analysis(design=design, simulated=simulated))


def section(document: Document, title: str) -> Section:
    return next(section for section in document.sections if section.title == title)


def block(document: Document, title: str) -> Block:
    return next(block for section in document.sections for block in section.blocks if block.title == title)


def without_pictures(document: Document) -> Document:
    return replace(document, sections=tuple(replace(section, pictures=()) for section in document.sections))


def test_the_overview_has_a_row_a_method_and_a_column_a_question() -> None:
    found = block(built(), "delete, suite made: wins % by question")
    assert found.columns == ("method", "visual quality\N{NO-BREAK SPACE}↑", "overall\N{NO-BREAK SPACE}↑")
    assert found.rows == (
        ("high", "70.0 [65.0, 75.0]*", "70.0 [65.0, 75.0]*"),
        ("low", "50.0 [45.0, 55.0]*", "50.0 [45.0, 55.0]*"),
        ("poor", "30.0 [25.0, 35.0]", "30.0 [25.0, 35.0]"),
    )
    assert found.notes[1].startswith("*: the best, or not significantly worse than it")


def test_methods_and_pairs_of_a_question() -> None:
    document = built()
    methods = block(document, "delete, suite made: overall: methods")
    assert methods.columns == ("method", "rank", "wins % ↑", "strength ↑", "judgements")
    assert methods.rows[2] == ("poor", "3", "30.0 [25.0, 35.0]", "-0.80 [-1.10, -0.50]", "120")
    pairs = block(document, "delete, suite made: overall: pairs")
    assert pairs.rows[0] == ("high", "low", "60", "40", "6", "0.80 [0.10, 1.50]", "0.001", "0.210")
    assert pairs.rows[1][-2:] == ("<0.001", "<0.001")
    assert "Krippendorff's alpha 0.34" in section(document, "delete, suite made: overall").paragraphs[0]


def test_ratings_have_means_and_no_strengths() -> None:
    document = built("rating")
    methods = block(document, "delete, suite made: overall: methods")
    assert methods.columns == ("method", "rank", "rating 1–5 ↑", "judgements")
    assert methods.rows[0] == ("high", "1", "4.00 [3.75, 4.25]*", "120")
    assert "difference of mean ratings" in block(document, "delete, suite made: overall: pairs").columns
    procedure = " ".join(section(document, "How this was done").paragraphs)
    assert "rated it from 1 (bad) to 5 (excellent)" in procedure
    assert "Bradley" not in procedure


def test_rankings_say_how_often_a_method_came_first_and_why_there_is_no_interval() -> None:
    methods = block(built("ranking"), "delete, suite made: overall: methods")
    assert methods.columns[4] == "first % ↑"
    assert methods.rows[0][4] == "50.0"
    assert "ties" not in block(built("ranking"), "delete, suite made: overall: pairs").columns
    assert "no interval: only 2 raters" in methods.notes


def test_the_summary_says_who_leads_and_who_cannot_be_told_apart() -> None:
    analysis = made_analysis()
    assert sentence(analysis, PLACE) == (
        "delete, suite made, overall: high leads with 70.0 % of comparisons won [65.0, 75.0]; low cannot be told apart "
        "from it, poor is significantly worse."
    )
    assert sentence(analysis, ("made", "add")) == "add, suite made, overall: no figures: two methods never met."
    summary = section(built(simulated=True), "In short (simulated)").paragraphs
    assert summary[0].endswith(
        "Of the metrics that agree with raters more often than a coin would, edit lpips @alex does so most often: in "
        "80.0 [65.0, 95.0] % of 50 pairs."
    )
    unsure = analysis.model_copy(update={"metrics": [m for m in analysis.metrics if m.metric == "edit_psnr"]})
    assert trust_sentence(unsure, PLACE) == ("No metric can be said to agree with raters more often than a coin would.")
    assert trust_sentence(analysis, ("made", "add")) == ""


def test_a_table_without_figures_says_why() -> None:
    document = built()
    overview = block(document, "add, suite made: wins % by question")
    assert overview.rows == ()
    assert overview.notes == ("overall: no figures: two methods never met",)
    part = section(document, "add, suite made: overall")
    assert part.paragraphs == (
        "1 rater, 1 sample, 1 judgement. Krippendorff's alpha: –, no sample was seen by two raters.",
        "No figures: two methods never met.",
    )


def test_where_nothing_can_be_tested_nobody_is_ranked() -> None:
    analysis = made_analysis(simulated=False)
    untested = [
        result.model_copy(
            update={"pairs": tuple(pair.model_copy(update={"p": None, "p_corrected": None}) for pair in result.pairs)}
        )
        for result in analysis.results
    ]
    analysis = analysis.model_copy(update={"results": tuple(untested)})
    methods = block(build_document(analysis), "delete, suite made: overall: methods")
    assert [row[1:3] for row in methods.rows] == [
        ("–", "70.0 [65.0, 75.0]"), ("–", "50.0 [45.0, 55.0]"), ("–", "30.0 [25.0, 35.0]"),
    ]  # fmt: skip
    assert not any(note.startswith("*") for note in methods.notes)
    assert sentence(analysis, PLACE).endswith("[65.0, 75.0]; it cannot be tested whether it differs from others.")


def test_people_rules_and_problems_are_listed() -> None:
    part = section(built(), "Who answered")
    assert part.paragraphs[0] == (
        "Raters planned: 12; answered: 10; excluded by the rules below: 1; counted: 9, with 540 judgements."
    )
    for words in (
        "failed 2 attention checks or more",
        "more than 50 % of the scored items",
        "95 % of the answers to 10 scored items",
    ):
        assert words in part.paragraphs[1]
    excluded, problems, repeats = part.blocks
    assert excluded.notes == ("r007 (too fast): answered 20 of 30 scored items too fast",)
    assert problems.notes == ("r011.json: changed or damaged since it was saved; the file is left out",)
    assert repeats.rows == (("overall", "17", "20", "85 %"),)


def test_metrics_are_sorted_by_how_often_they_agree() -> None:
    document = built()
    part = section(document, "delete, suite made: which metric should one trust?")
    assert part.paragraphs[0].startswith(
        "With raters more often than a coin would: 1 of 3 metrics (edit lpips @alex). "
        "Against raters more often than a coin would: 1 of 3 metrics (background ssim)."
    )
    main, by_question = part.blocks
    assert [row[0] for row in main.rows] == ["edit lpips @alex", "edit psnr", "background ssim"]
    assert main.rows[0][1:] == ("80.0 [65.0, 95.0]", "0.60 [0.40, 0.80]", "50")
    assert main.notes[-1] == "no figure for rc s: it has no figure on these samples"
    assert by_question.columns == ("metric", "visual quality", "overall")


def test_mask_kinds_stand_side_by_side() -> None:
    found = block(
        built(),
        "delete, suite made: overall, wins % by mask kind (judgements)",
    )
    assert found.columns == ("method", "box (180)", "blob (180)")
    assert len(found.rows) == 3


def test_simulated_is_said_everywhere(written: Path) -> None:
    document = built(simulated=True)
    assert document.warning is not None
    assert document.warning.startswith("Simulated: ")
    titles = [document.title]
    for part in document.sections:
        titles += [part.title, *(block.title for block in part.blocks), *(p.caption for p in part.pictures)]
        titles += [figure_title(picture.figure) for picture in part.pictures]
    assert all("(simulated)" in title for title in titles), [title for title in titles if "(simulated)" not in title]
    for name in ("report.md", "report.html", "report.tex"):
        text = (written / name).read_text(encoding="utf-8")
        assert document.warning in text
        assert "(simulated)" in text.split("\n\n")[0]
    assert "simulated" in (written / "figures" / "metrics-delete-made.svg").read_text(encoding="utf-8").lower()


def figure_title(figure: Figure) -> str:
    return figure.get_suptitle() or figure.axes[0].get_title()


def test_a_study_of_people_says_nothing_of_simulation() -> None:
    document = without_pictures(built())
    assert "simulat" not in as_markdown(document) + as_latex(document)


def test_the_files_of_a_report(written: Path) -> None:
    stems = ("preferences", "pairs", "mask-kinds", "metrics")
    figures = {f"figures/{kind}-delete-made.{suffix}" for kind in stems for suffix in ("svg", "png", "pdf")}
    found = {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()}
    assert found == figures | {"analysis.json", "report.md", "report.html", "report.tex"}
    assert read_analysis(written / "analysis.json") == made_analysis()
    for text, pattern in (("report.md", r"\]\((figures/[^)]+)\)"), ("report.tex", r"includegraphics\{([^}]+)\}")):
        named = re.findall(pattern, (written / text).read_text(encoding="utf-8"))
        assert len(named) == 4
        assert set(named) <= found


def test_an_earlier_reports_pictures_are_removed_and_no_others(tmp_path: Path) -> None:
    write_report(made_analysis(suite="before"), tmp_path)
    for name in ("own.png", "pairs-of-shoes.png", "pairs-delete-before.txt"):
        (tmp_path / "figures" / name).touch()
    empty = made_analysis().model_copy(update={"results": (), "metrics": ()})
    write_report(empty, tmp_path)
    found = {path.name for path in (tmp_path / "figures").iterdir()}
    assert found == {"own.png", "pairs-of-shoes.png", "pairs-delete-before.txt"}


class Page(HTMLParser):
    """Collects a page's tags, addresses and ids."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.targets: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.targets += [value for name, value in attrs if name in ("href", "src") and value]
        self.ids |= {value for name, value in attrs if name == "id" and value}


def test_the_page_needs_nothing_beside_it(written: Path) -> None:
    text = (written / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    links = {target for target in page.targets if target.startswith("#")}
    assert {link[1:] for link in links} == page.ids
    assert all(target.startswith("data:image/svg+xml;base64,") for target in set(page.targets) - links)
    assert "default-src 'none'" in text
    assert "script" not in page.tags


@pytest.fixture(scope="module")
def hostile() -> StudyAnalysis:
    """The figures of a study whose names are set against their readers."""
    return made_analysis((HOSTILE, "b", "c"), suite=HOSTILE)


def test_hostile_names_are_text_in_every_format(hostile: StudyAnalysis, tmp_path: Path) -> None:
    document = without_pictures(build_document(hostile))
    page = as_html(document, tmp_path)
    assert "script" not in Page(page).tags
    assert "&lt;script&gt;" in page
    text = as_markdown(document)
    assert "<script>" not in text
    pipes = {len(re.findall(r"(?<!\\)\|", line)) for line in text.split("\n") if line.startswith("| &lt;/td&gt;")}
    assert pipes <= {4, 5, 6, 9}
    tex = as_latex(document)
    assert r"\input{x}" not in tex
    assert not re.search(r"(?<!\\)[$#_]", tex.split("\n", 2)[2].replace(r"$\uparrow$", ""))


def test_hostile_names_are_drawn_as_they_are(hostile: StudyAnalysis, tmp_path: Path) -> None:
    document = build_document(hostile)
    picture = document.pictures[0]
    assert re.fullmatch(r"[a-z0-9-]+", picture.stem)
    assert picture.figure.axes[0].get_yticklabels()[0].get_text() == HOSTILE
    picture.figure.savefig(tmp_path / "figure.svg")  # a name with dollars would be no formula


def test_latex_has_its_tables_and_braces_in_balance(written: Path) -> None:
    text = (written / "report.tex").read_text(encoding="utf-8")
    assert text.isascii()
    assert len(re.findall(r"(?<!\\)\{", text)) == len(re.findall(r"(?<!\\)\}", text))
    for kind in ("table", "tabular", "figure", "itemize"):
        assert text.count(rf"\begin{{{kind}}}") == text.count(rf"\end{{{kind}}}") > 0
    assert r"high & 1 & 70.0 {[}65.0, 75.0{]}* & 0.80 {[}0.50, 1.10{]} & 120 \\" in text


def test_the_figures_show_what_the_tables_say() -> None:
    pictures = {picture.stem: picture.figure for picture in built(simulated=True).pictures}
    assert list(pictures) == [stem(kind, *PLACE) for kind in ("preferences", "pairs", "mask-kinds", "metrics")]
    panels = pictures["preferences-delete-made"].axes
    assert [panel.get_title() for panel in panels] == ["visual quality", "overall"]
    dots = [line for line in panels[1].lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in dots] == pytest.approx([70.0, 50.0, 30.0])  # type: ignore[index]
    assert [text.get_text() for text in panels[0].get_yticklabels()] == ["high", "low", "poor"]
    # high over low: (40 + 6 / 2) / 60 = 71.7 %, not significant; over poor: (50 + 3) / 60 = 88.3 %, significant.
    cells = {tuple(map(int, t.get_position())): t.get_text() for t in pictures["pairs-delete-made"].axes[0].texts}
    assert (cells[1, 0], cells[0, 1], cells[2, 0], cells[0, 2]) == ("72", "28", "88*", "12*")
    metrics = pictures["metrics-delete-made"].axes[0]
    assert [text.get_text() for text in metrics.get_yticklabels()] == [
        "edit lpips @alex", "edit psnr", "background ssim",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "expected a study's analysis, found at the whole: Invalid JSON"),
        (b"[]", "expected a study's analysis, found at the whole: Input should be an object"),
        (b'{"study": 1}', "expected a study's analysis, found at "),
        (b"\xff\xfe", "expected JSON, found "),
    ],
)
def test_what_is_no_analysis_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "analysis.json"
    with pytest.raises(InputError, match="expected a readable file"):
        read_analysis(path)
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(words)):
        read_analysis(path)


def test_the_identity_of_the_study_is_on_every_page(written: Path) -> None:
    for name in ("report.md", "report.html", "report.tex"):
        assert f"User study {STUDY} (simulated)" in (written / name).read_text(encoding="utf-8")
