"""Shares of groups in training and evaluation data against a population table: attribute, group, share (or count).

The table comes as evidence, or by name from the register. One grouped query per file and attribute. The interval of a share is
Wilson's, all groups of the file together at 95 %; a group the population expects fewer than `MIN_EXPECTED` times is too small to
tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs, Picture
from gates.metrics.statistics.intervals import bonferroni, wilson
from gates.pictures.shapes import points_with_intervals
from gates.readers import tables
from gates.readers.tables import quote_name
from gates.spec import Measure

MIN_EXPECTED = 30
MOST_GROUPS = 200
LINES = (0.8, 1.25)
_WAY_OUT = "Write one row per group with the columns attribute, group and share (or count)."

Population = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Group:
    """One group of one file: its share there and in the population, and the ratio with bounds (None: too small to tell)."""

    file: str
    attribute: str
    group: str
    rows: int
    total: int
    expected: float
    ratio: float | None
    low: float | None
    high: float | None

    @property
    def label(self) -> str:
        return f"{self.attribute}={self.group}"


def measure(inputs: Inputs) -> Collected:
    """Ratios of shares per file and group; not applicable where no population is declared."""
    population, source = _population(inputs)
    if not population:
        return Collected(not_applicable=source) if source.startswith("No population") else Collected(not_measured=source)
    files = [(inputs.evidence[role], word) for role, word in _FILES if role in inputs.evidence]
    groups: list[Group] = []
    notes = [f"Population: {source}."]
    for evidence, word in files:
        names = {name.casefold(): name for name, kind in tables.inspect(evidence).columns if kind != "other"}
        shared = {attribute: names[attribute.casefold()] for attribute in population if attribute.casefold() in names}
        if shared:
            groups.extend(_compare(evidence, word, shared, population, notes))
    if not groups:
        listed = ", ".join(list(population)[:10])
        return Collected(
            not_measured=f"No file holds a column of the population's attributes ({listed}): add them beside the predictions."
        )
    return Collected(tuple(_measures(groups)), (), _pictures(groups), tuple(notes))


_FILES = (("reference_sample", "training"), ("candidate_predictions", "evaluation"))


def _population(inputs: Inputs) -> tuple[Population, str]:
    """The table and where it comes from, or an empty one and the reason."""
    evidence = inputs.evidence.get("population")
    if evidence is not None:
        return _read(evidence), evidence.name
    name, register = inputs.facts.get("data.reference_population"), inputs.settings.get("reference_populations")
    if not isinstance(name, str) or not name.strip():
        return {}, (
            "No population is declared to compare with. Name a registered one (data.reference_population), or attach a table as "
            "“population”."
        )
    known = {str(key).casefold(): entry for key, entry in register.items()} if isinstance(register, Mapping) else {}
    entry = known.get(name.strip().casefold())
    if not isinstance(entry, Mapping):
        listed = ", ".join(sorted(known)[:5]) or "none"
        unknown = f"The register has no population “{name.strip()[:80]}” (registered: {listed})."
        return {}, f"{unknown} Name one of them, or have it registered."
    shares = entry.get("shares")
    found = {
        str(attribute): _normal({str(group): float(share) for group, share in groups.items() if isinstance(share, int | float)})
        for attribute, groups in (shares.items() if isinstance(shares, Mapping) else ())
        if isinstance(groups, Mapping)
    }
    return found, f"{name.strip()} ({entry.get('source')})"


def _read(evidence: EvidenceInput) -> Population:
    info = tables.inspect(evidence)
    amount = "share" if "share" in info.names else "count"
    tables.require(evidence, info, ["attribute", "group", amount])
    if info.rows > 10_000:
        raise EvidenceProblem(file=evidence.name, expected="at most 10,000 groups", found=f"{info.rows:,} rows", way_out=_WAY_OUT)
    table = tables.load(evidence, ["attribute", "group", amount])
    values = tables.numbers(evidence, table, amount)
    found: dict[str, dict[str, float]] = {}
    for attribute, group, value in zip(table["attribute"], table["group"], values, strict=True):
        if attribute is None or group is None or not value >= 0:
            raise EvidenceProblem(
                file=evidence.name, column=amount, expected="an attribute, a group and a number of 0 or more in every row",
                found=f"“{attribute}”, “{group}”, {value}", way_out=_WAY_OUT,
            )  # fmt: skip
        where = found.setdefault(str(attribute), {})
        if str(group) in where:
            raise EvidenceProblem(
                file=evidence.name,
                column="group",
                expected="each group once",
                found=f"{attribute}={group} twice",
                way_out=_WAY_OUT,
            )
        where[str(group)] = float(value)
    for attribute, groups in found.items():
        total = sum(groups.values())
        if amount == "share" and not 0.98 <= total <= 1.02:
            raise EvidenceProblem(
                file=evidence.name, column="share", expected=f"shares of {attribute} that add up to 1", found=f"{total:.3f}",
                way_out=_WAY_OUT,
            )  # fmt: skip
    return {attribute: _normal(groups) for attribute, groups in found.items()}


def _normal(groups: Mapping[str, float]) -> dict[str, float]:
    total = sum(groups.values())
    return {group: value / total for group, value in groups.items()} if total > 0 else {}


def _compare(
    evidence: EvidenceInput, word: str, shared: Mapping[str, str], population: Population, notes: list[str]
) -> Iterable[Group]:
    cells = {attribute: _counts(evidence, column) for attribute, column in shared.items()}
    level = bonferroni(0.95, sum(len(population[attribute]) for attribute in cells))
    for attribute, counts in cells.items():
        known = {group.strip().casefold(): group for group in population[attribute]}
        matched: dict[str, int] = {}
        strange: list[str] = []
        for group, rows in counts.items():
            name = known.get(group.strip().casefold())
            if name is None:
                strange.append(f"{group} ({rows:,})")
            else:
                matched[name] = matched.get(name, 0) + rows
        if strange:
            notes.append(f"{evidence.name}, {attribute}: not in the population and left out: {', '.join(strange[:10])}.")
        total = sum(matched.values())
        if not total:
            notes.append(f"{evidence.name}, {attribute}: no value is a group of the population.")
            continue
        for group, share in population[attribute].items():
            rows = matched.get(group, 0)
            if share <= 0 or total * share < MIN_EXPECTED:
                yield Group(word, attribute, group, rows, total, share, None, None, None)
            else:
                found = wilson(rows, total, level)
                yield Group(
                    word, attribute, group, rows, total, share, found.value / share, found.low / share, found.high / share
                )


def _counts(evidence: EvidenceInput, column: str) -> dict[str, int]:
    cell = quote_name(column)
    with tables.connect({"data": evidence}) as connection:
        found = connection.execute(
            f"SELECT CAST({cell} AS VARCHAR), count(*) FROM data WHERE {cell} IS NOT NULL GROUP BY 1 "
            f"ORDER BY 2 DESC, 1 LIMIT {MOST_GROUPS + 1}"
        ).fetchall()
    if len(found) > MOST_GROUPS:
        raise EvidenceProblem(
            file=evidence.name, column=column, expected=f"at most {MOST_GROUPS} groups", found="more: an id or a number?",
            way_out="Put the values into the bands that the population table has.",
        )  # fmt: skip
    return {str(value): int(rows) for value, rows in found}


def _measures(groups: list[Group]) -> Iterable[Measure]:
    told = [item for item in groups if item.ratio is not None]
    small = [item for item in groups if item.ratio is None]
    yield Measure("representativeness.groups", float(len(told)), text=", ".join(dict.fromkeys(item.attribute for item in groups)))
    if small:
        yield Measure("representativeness.too_small", float(len(small)), text=", ".join(item.label for item in small[:20]))
    for item in told:
        words = f"{item.rows:,} of {item.total:,} rows ({item.rows / item.total:.2%}), population {item.expected:.2%}"
        group = f"file={item.file} & {item.label}"[:300]
        yield Measure(
            "representativeness.ratio", item.ratio, group, item.low, item.high, item.total, words,
            detail={"share": item.rows / item.total, "population": item.expected},
        )  # fmt: skip


def _pictures(groups: list[Group]) -> tuple[Picture, ...]:
    told = sorted((item for item in groups if item.ratio is not None), key=lambda item: -abs((item.ratio or 1.0) - 1.0))
    if not told:
        return ()
    shown = told[:24]
    values = [
        {"label": f"{item.file}: {item.label}"[:60], "value": item.ratio, "low": item.low, "high": item.high} for item in shown
    ]
    rows = tuple(
        (
            item.file,
            item.attribute,
            item.group,
            f"{item.rows / item.total:.2%}",
            f"{item.expected:.2%}",
            f"{item.ratio:.2f}",
            item.total,
        )
        for item in told
    )
    worst = shown[0]
    words = (
        f"{worst.label} is furthest off: {worst.ratio:.2f} times its share of the population in the {worst.file} data. "
        f"1 is the same share; lines mark {LINES[0]} and {LINES[1]}. {len(shown)} of {len(told)} groups are shown."
    )
    spec = points_with_intervals(values, x_title="Share in the data over share in the population", limits=LINES)
    columns = ("Data", "Attribute", "Group", "Share", "Population", "Ratio", "Rows")
    return (Picture("representativeness", "Groups against the population", words, spec, columns, rows),)
