"""Evaluating a pack: every rule on every statement, the strictest result counts.

A rule is compiled once into closures that answer with a mask (see `conditions.py`, `bands.py`); a table made once for each rule
turns a mask into status and track. No clock, no settings, no database: the same facts and pack give the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from governance.domain.facts import Fact, FactSet, agree
from governance.domain.vocabulary import Kind, Role, Track
from governance.policy.assessment import Assessment, Checked, Contradiction, GatePlan, RequiredStep, RuleStatus, required
from governance.policy.bands import RED, YELLOW, compile_bands
from governance.policy.conditions import FALSE, PENDING, TRUE, UNKNOWN, Check, Statements, compile_condition
from governance.policy.envelopes import Envelope, Judgement, judge_envelope
from governance.policy.errors import refuse_pack
from governance.policy.explaining import sentence_of
from governance.policy.gate_use import GateUse
from governance.policy.pack import PackDocument
from governance.policy.questionnaire import Questionnaire
from governance.policy.rules import Rule
from governance.policy.stages import BLOCK, day_of

_RANK = {None: -1, Track.GREEN: 0, Track.YELLOW: 1, Track.RED: 2}
Outcome = tuple[RuleStatus, Track | None]


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its closures. `about`: the fact it is about; `outcomes[mask]`: what a mask means for it."""

    rule: Rule
    about: str
    check: Check
    applies: Check | None
    outcomes: tuple[Outcome, ...]

    def outcome(self, statements: Statements, pending: Collection[str]) -> Outcome:
        """Status and track of this rule for these statements; no track while the rule does not count yet."""
        found = self.outcome_when_it_counts(statements, pending)
        stages = self.rule.stages
        if stages is not None and found[1] is not None and stages.on(day_of(statements)) != BLOCK:
            return found[0], None
        return found

    def outcome_when_it_counts(self, statements: Statements, pending: Collection[str]) -> Outcome:
        """The same whatever stage the rule is in."""
        if self.applies is not None and self.applies(statements, pending) == FALSE:
            return _NOT_APPLICABLE
        return self.outcomes[self.check(statements, pending)]


_NOT_APPLICABLE: Outcome = (RuleStatus.NOT_APPLICABLE, None)


def compile_rule(rule: Rule) -> CompiledRule:
    """Turn a rule into closures. Its collector's name makes the fact it is about pending as well."""
    aliases = {rule.about: rule.measured_by} if rule.measured_by else {}
    if rule.bands is not None:
        check = compile_bands(rule.about, rule.bands.yellow, rule.bands.red, rule.direction, rule.measured_by or rule.about)
    else:
        check = compile_condition(rule.condition, aliases)
    applies = compile_condition(rule.applies_when) if rule.applies_when is not None else None
    return CompiledRule(rule, rule.about, check, applies, tuple(_outcome(rule, mask) for mask in range(64)))


def _outcome(rule: Rule, mask: int) -> Outcome:
    """The strictest of what the bits of a mask mean; fired before unknown where both ask for the same track."""
    unknown = {"red": Track.RED, "yellow": Track.YELLOW, "ignore": None}[rule.on_unknown]
    found: list[Outcome] = []
    if mask & TRUE:
        found.append((RuleStatus.FIRED, rule.track))
    if mask & RED:
        found.append((RuleStatus.FIRED, Track.RED))
    if mask & YELLOW:
        found.append((RuleStatus.FIRED, Track.YELLOW))
    if mask & UNKNOWN:
        found.append((RuleStatus.UNKNOWN, unknown))
    if mask & PENDING:
        found.append((RuleStatus.PENDING, None))
    found.append((RuleStatus.HELD, None))
    return max(found, key=lambda outcome: _RANK[outcome[1]])


@dataclass(frozen=True, eq=False)
class Pack:
    """A loaded pack: the document, its questionnaire, the digest over both, and the compiled rules."""

    document: PackDocument
    questionnaire: Questionnaire | None
    digest: str

    @property
    def form(self) -> Questionnaire:
        """The questionnaire of a pack that people fill in. Raises `PackError` where the pack was loaded without one."""
        if self.questionnaire is None:
            raise refuse_pack(
                "questionnaire",
                f"The pack {self.name} was loaded without a questionnaire.",
                f"Put it beside the pack as questionnaires/{self.name}.yaml and load the pack again.",
            )
        return self.questionnaire

    @property
    def name(self) -> str:
        return self.document.pack

    @property
    def version(self) -> str:
        return self.document.version

    @property
    def kind(self) -> Kind:
        return self.document.kind

    @property
    def gate_kind(self) -> Kind:
        """The kind whose gates judge what this pack is about: its own, unless it says another."""
        return self.document.judged_like or self.document.kind

    @property
    def title(self) -> str:
        return self.document.title

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self.document.rules

    @property
    def gates(self) -> tuple[GateUse, ...]:
        return self.document.gates

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """Numbers for collectors, by name."""
        return {name: setting.value for name, setting in self.document.collectors.items()}

    @cached_property
    def compiled(self) -> tuple[CompiledRule, ...]:
        return tuple(compile_rule(rule) for rule in self.rules)

    @cached_property
    def percent(self) -> frozenset[str]:
        """Facts that people read in percent."""
        return frozenset(rule.about for rule in self.rules if rule.unit == "percent")

    @cached_property
    def staged(self) -> bool:
        """Whether some rule does not count yet, so that the day has to be among the facts."""
        return any(rule.stages is not None for rule in self.rules)

    @cached_property
    def readers(self) -> Mapping[str, tuple[int, ...]]:
        """Fact name -> positions of the rules that read it."""
        found: dict[str, list[int]] = {}
        for position, rule in enumerate(self.rules):
            for name in rule.reads:
                found.setdefault(name, []).append(position)
        return {name: tuple(rows) for name, rows in found.items()}

    @cached_property
    def measured(self) -> Mapping[str, frozenset[str]]:
        """Collector -> names of the facts its rules wait for."""
        found: dict[str, set[str]] = {}
        for rule in self.rules:
            if rule.measured_by:
                found.setdefault(rule.measured_by, set()).add(rule.about)
        return {name: frozenset(names) for name, names in found.items()}

    @cached_property
    def limited_domains(self) -> frozenset[str]:
        """Domains for which some gate has limits of its own."""
        return frozenset(domain for use in self.gates for domain in use.limits_by_domain)

    @cached_property
    def gate_plans(self) -> Mapping[tuple[Track, str], tuple[GatePlan, ...]]:
        """The gates of each track, for each domain with limits of its own and for all others ("")."""
        return {
            (track, domain): tuple(_plan(use, track, domain) for use in self.gates if track in use.tracks)
            for track in Track
            for domain in ("", *sorted(self.limited_domains))
        }

    @cached_property
    def gate_checks(self) -> Mapping[str, Check]:
        return {g.gate: compile_condition(g.applies_when) for g in self.gates if g.applies_when is not None}


def _plan(use: GateUse, track: Track, domain: str) -> GatePlan:
    needs = {role.value: why for role, why in use.needs.items()}
    return GatePlan(use.gate, use.limits_for(track, domain), use.blocks(track), needs, use.why)


def load_and_check(pack: Pack) -> None:
    """Compile now, so that a pack that cannot be evaluated is not loaded."""
    _ = pack.compiled, pack.readers, pack.gate_checks, pack.gate_plans


def evaluate(
    pack: Pack, facts: FactSet, *, pending: Collection[str] = frozenset(), envelope: Envelope | None = None
) -> Assessment:
    """Evaluate every rule of `pack` on `facts`. `envelope`: the change envelope in force for the system.

    `pending`: names of facts, or of collectors, that are still to be measured: a rule that waits only for those raises nothing
    yet. The final evaluation is made without it, and then what is unknown counts as `on_unknown` says.
    """
    statements = facts.by_name
    checked: list[Checked] = []
    hits: list[Checked] = []
    for compiled in pack.compiled:
        status, track = compiled.outcome(statements, pending)
        rule = compiled.rule
        rows = statements.get(compiled.about, ())
        fact = rows[0] if rows else None
        if len(rows) > 1:
            fact = _deciding(compiled, rows, statements, pending, (status, track))
        if rule.stages is None:
            row = Checked(rule, status, track, fact, facts)
        else:
            stage = rule.stages.on(day_of(statements))
            would = compiled.outcome_when_it_counts(statements, pending)[1] if stage != BLOCK else None
            row = Checked(rule, status, track, fact, facts, stage if would else "", would)
        checked.append(row)
        if track is not None:
            hits.append(row)
    judged = None
    if envelope is not None:
        judged = judge_envelope(envelope, statements, pending, pack.percent)
        if judged.inside:
            checked = [_inside(row, judged) for row in checked]
            hits = [row for row in checked if row.track is not None]
    hits.sort(key=_strictness)
    track = hits[0].track or Track.GREEN if hits else Track.GREEN
    steps = _steps(pack, track, hits)
    return Assessment(
        pack=pack.name,
        version=pack.version,
        digest=pack.digest,
        track=track,
        hits=tuple(hits),
        checked=tuple(checked),
        steps=steps,
        gates=_gates(pack, track, facts),
        due=pack.document.tracks[track].due or "",
        contradictions=_contradictions(pack, statements),
        sentence=" ".join([sentence_of(track, hits, checked, steps), *([judged.says] if judged is not None else [])]),
        envelope=judged,
    )


def covered_track(rule: Rule, outcome: Outcome, envelope: Envelope) -> Track | None:
    """What a rule asks for inside an envelope: the envelope's track at most where it covers the rule and the rule fired.

    What is merely unknown is not covered.
    """
    (status, asked), allowed = outcome, envelope.track
    if status is not RuleStatus.FIRED or asked is None or asked.rank <= allowed.rank or rule.id not in envelope.rules:
        return asked
    return allowed if allowed is not Track.GREEN else None


def _inside(row: Checked, judged: Judgement) -> Checked:
    track = covered_track(row.rule, (row.status, row.track), judged.envelope)
    return row if track is row.track else row._replace(track=track, would=row.track, envelope=judged.envelope.number)


def _strictness(row: Checked) -> int:
    return -_RANK[row.track]


def _deciding(
    compiled: CompiledRule, rows: tuple[Fact, ...], statements: Statements, pending: Collection[str], outcome: Outcome
) -> Fact:
    """The most assured statement that alone gives the result; else the most assured known one."""
    name = compiled.about
    for fact in rows:
        if compiled.outcome({**statements, name: (fact,)}, pending) == outcome:
            return fact
    return next((fact for fact in rows if fact.known), rows[0])


def _steps(pack: Pack, track: Track, hits: Iterable[Checked]) -> tuple[RequiredStep, ...]:
    because: dict[Role, list[str]] = {}
    for hit in hits:
        for role in hit.rule.adds_steps:
            because.setdefault(role, []).append(hit.rule.id)
    return steps_on(pack, track, because)


def steps_on(pack: Pack, track: Track, because: Mapping[Role, Collection[str]]) -> tuple[RequiredStep, ...]:
    """The steps of the track in order; what rules add comes before the risk officer (or last, where there is none).

    `because`: role -> ids of the rules that ask for it.
    """
    plan = pack.document.tracks[track]
    own = {step.role for step in plan.steps}
    added = [
        signature
        for step in pack.document.added_steps
        if step.role in because and step.role not in own
        for signature in required(step, plan.due or "", because[step.role])
    ]
    steps = [signature for step in plan.steps for signature in required(step, plan.due or "")]
    last = next((i for i, step in enumerate(steps) if step.role is Role.RISK_OFFICER), len(steps))
    return (*steps[:last], *added, *steps[last:])


def _gates(pack: Pack, track: Track, facts: FactSet) -> tuple[GatePlan, ...]:
    """The gates of the track, without those the facts say have no object here."""
    domain = facts.value("decision.domain")
    key = domain if isinstance(domain, str) and domain in pack.limited_domains else ""
    statements = facts.by_name
    idle = {code for code, check in pack.gate_checks.items() if check(statements, ()) == FALSE}
    plans = pack.gate_plans[track, key]
    return tuple(plan for plan in plans if plan.code not in idle) if idle else plans


def _contradictions(pack: Pack, statements: Statements) -> tuple[Contradiction, ...]:
    """Facts that rules read and about which a less assured source says something else than the most assured one."""
    found = []
    for name, rows in statements.items():
        if len(rows) < 2 or name not in pack.readers:
            continue
        known = [fact for fact in rows if fact.known]
        differing = [fact for fact in known[1:] if not agree(known[0], fact)]
        if differing:
            rules = tuple(pack.rules[i].id for i in pack.readers[name])
            found.append(Contradiction(name, (known[0], *differing), rules))
    return tuple(found)


def measured_names(pack: Pack, collectors: Iterable[str] | None = None) -> frozenset[str]:
    """Facts that these collectors (all of the pack's when None) will establish: what to give `evaluate` as `pending`."""
    chosen = pack.measured if collectors is None else {name: pack.measured.get(name, frozenset()) for name in collectors}
    return frozenset().union(*chosen.values())
