"""From an analysis to the document that every format draws."""

from __future__ import annotations

from vivid_bench.study.preference import marked
from vivid_bench.study.report.document import Document, Section
from vivid_bench.study.report.outcomes import place_sections, places, sentence
from vivid_bench.study.report.people import people_section
from vivid_bench.study.report.procedure import procedure_section
from vivid_bench.study.report.trust import trust_section, trust_sentence
from vivid_bench.study.results import StudyAnalysis

WARNING = (
    "Simulated: answers behind these figures were made by vivid-bench study simulate, not given by people. Nothing "
    "here says what people prefer."
)


def build_document(analysis: StudyAnalysis) -> Document:
    """Return the whole report."""
    sections = [_summary(analysis), people_section(analysis)]
    for place in places(analysis):
        sections += place_sections(analysis, place)
        trust = trust_section(analysis, place)
        sections += [trust] if trust else []
    sections.append(procedure_section(analysis))
    title = marked(analysis, f"User study {analysis.study}")
    return Document(title, WARNING if analysis.simulated else None, tuple(sections))


def _summary(analysis: StudyAnalysis) -> Section:
    paragraphs = [
        f"{sentence(analysis, place)} {trust_sentence(analysis, place)}".rstrip() for place in places(analysis)
    ]
    return Section(marked(analysis, "In short"), 2, tuple(paragraphs or ["No table has figures."]))
