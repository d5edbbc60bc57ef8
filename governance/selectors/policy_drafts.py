"""A draft as its author reads it: what is wrong with the text and on which line, its tests, and what it changes, in words."""

from __future__ import annotations

from dataclasses import dataclass

from governance.domain.errors import NotFound
from governance.models import Backtest, PolicyDraft, PolicyRuling
from governance.policy import Pack, PackError, load_pack
from governance.policy.bands import Band
from governance.policy.differing import Difference, differences
from governance.policy.editing import line_of
from governance.policy.pack import PackDocument
from governance.policy.rules import Rule
from governance.policy.trying import Tried, read_document, try_all, untried
from governance.selectors.policy import pack_of


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the text. `line`: from 1, None where no line can be named."""

    line: int | None
    path: str
    says: str


@dataclass(frozen=True)
class Limits:
    """A rule with limits, as the form shows them: in percent where the rule speaks of percent."""

    rule: Rule
    yellow: str
    red: str

    @property
    def suffix(self) -> str:
        return "%" if self.rule.unit == "percent" else ""


@dataclass(frozen=True)
class DraftView:
    """Everything about a draft. `pack` is there when the text can be used, tests included."""

    draft: PolicyDraft
    document: PackDocument | None
    pack: Pack | None
    base: Pack | None
    problems: tuple[Problem, ...]
    tried: tuple[Tried, ...]
    untried: tuple[str, ...]
    differences: tuple[Difference, ...]
    backtests: tuple[Backtest, ...]
    rulings: tuple[PolicyRuling, ...]

    @property
    def failing(self) -> tuple[Tried, ...]:
        return tuple(row for row in self.tried if not row.passes)

    @property
    def limits(self) -> tuple[Limits, ...]:
        """Rules whose limits the form can change."""
        rules = self.document.rules if self.document is not None else ()
        return tuple(
            Limits(rule, _shown(rule.bands.yellow, rule), _shown(rule.bands.red, rule))
            for rule in rules
            if rule.bands is not None
        )

    @property
    def tested(self) -> Backtest | None:
        """The last finished back-test of this very text."""
        digest = self.pack.digest if self.pack is not None else ""
        return next((row for row in self.backtests if row.digest == digest and row.status == "done" and not row.shifts), None)

    @property
    def missing(self) -> tuple[str, ...]:
        """What is still to be done before it can be proposed."""
        found = []
        if self.problems:
            found.append("Mend what is wrong with the text.")
        elif self.untried or self.failing:
            found.append("Every rule needs examples that fire and that hold, and every example has to come out as written.")
        elif not self.differences:
            found.append("Change something: the draft judges as the version in force does.")
        elif self.tested is None:
            found.append("Back-test this text: see what it would have changed.")
        return tuple(found)


def _shown(band: Band | None, rule: Rule) -> str:
    if band is None:
        return ""
    return f"{band.limit * 100:.10g}" if rule.unit == "percent" else f"{band.limit:.10g}"


def draft_view(draft_id: int) -> DraftView:
    """Read a draft. Raises `NotFound`."""
    draft = PolicyDraft.objects.select_related("author", "base", "pack").filter(pk=draft_id).first()
    if draft is None:
        raise NotFound("There is no such draft.")
    base = pack_of(draft.base) if draft.base is not None else None
    document, pack, problems = None, None, tuple[Problem, ...]()
    tried, without = tuple[Tried, ...](), tuple[str, ...]()
    try:
        document = read_document(draft.source)
        tried, without = try_all(document), untried(document)
        if not without and all(row.passes for row in tried):
            pack = load_pack(draft.source, draft.questionnaire or None)
    except PackError as exc:
        problems = problems_of(draft.source, exc)
    changed = differences(base, pack) if base is not None and pack is not None else ()
    return DraftView(
        draft,
        document,
        pack,
        base,
        problems,
        tried,
        without,
        changed,
        tuple(draft.backtests.select_related("asked_by")[:20]),
        tuple(draft.rulings.select_related("by")),
    )


def problems_of(source: str, error: PackError) -> tuple[Problem, ...]:
    """What is wrong, with the line each part stands on."""
    if not error.errors:
        return (Problem(None, "", error.detail),)
    return tuple(Problem(line_of(source, row.pointer) if row.pointer else None, row.pointer, row.detail) for row in error.errors)


def drafts() -> tuple[PolicyDraft, ...]:
    """Every draft, the newest first."""
    return tuple(PolicyDraft.objects.select_related("author", "pack", "base").defer("source", "questionnaire")[:100])
