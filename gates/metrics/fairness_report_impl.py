"""A fairness table of Aequitas or Fairlearn, row by row: the group's rates, and disparities to a reference group, counted again.

Definitions as Aequitas writes them (`Group.get_crosstabs`, `Bias.get_disparity_*`): pprev = predicted positives over the group,
tpr, fpr, fnr, tnr over the group's labels, precision and npv over its predictions, prev over the group; a disparity is the
group's value over the reference group's, which is the one whose disparity is 1. Fairlearn's `by_group` names the same rates by
other names and has groups of several attributes at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs, Picture
from gates.readers import fairlearn_table, tables
from gates.readers.tables import quote_name
from gates.spec import Measure

Counts = tuple[int, int, int, int]
RATES = ("pprev", "tpr", "fpr", "fnr", "tnr", "precision", "npv", "fdr", "for", "prev")
MOST_ROWS = 5_000
_AND = " & "
WAY_OUT = (
    "Hand in the table as Aequitas writes it (bias_df.to_csv(index=False)), and map label, prediction and sensitive columns."
)


def measure(inputs: Inputs) -> Collected:
    """`fairness_report.difference` per attribute, the worst of all as a whole, and groups that the predictions do not hold."""
    report, predictions = inputs.evidence.get("test_report"), inputs.evidence.get("candidate_predictions")
    sensitive = _sensitive(predictions)
    if report is None or not (looks_like(report) or fairlearn_table.looks_like(report, sensitive)):
        return Collected(
            not_applicable="No fairness table of another tool is handed in (Aequitas or Fairlearn, as “test_report”)."
        )
    if predictions is None:
        return Collected(not_measured="The fairness table cannot be compared: there are no predictions (candidate_predictions).")
    rows = _rows(report) if looks_like(report) else _frame(report, sensitive)
    attributes = list(dict.fromkeys(str(row["attribute_name"]) for row in rows))
    there = set(tables.inspect(predictions).names)
    # a table's own attribute may hold the joining word: only what is no column is taken apart
    parts = {name: [name] if name in there else name.split(_AND) for name in attributes}
    counts = {name: _counts(predictions, parts[name]) for name in attributes if set(parts[name]) <= there}
    missing = [name for name in attributes if name not in counts]
    compared = [item for name in counts for item in _compared(name, rows, counts[name])]
    if not compared:
        return Collected(not_measured=f"{predictions.name} holds none of the report's attributes ({', '.join(attributes[:10])}).")
    unmatched = [f"{row['attribute_name']}={row['attribute_value']}" for row in rows if not _known(row, counts)]
    return Collected(
        tuple(_measures(compared, unmatched)),
        (),
        (_picture(compared),),
        tuple([f"Not in {predictions.name}: {', '.join(missing)}."] if missing else []),
    )


def looks_like(evidence: EvidenceInput) -> bool:
    """Whether the header of the file is that of an Aequitas table."""
    path = Path(evidence.path)
    with path.open("rb") as file:
        head = file.read(20_000)
        file.seek(max(0, path.stat().st_size - 200_000))
        names = file.read() if head.startswith(b"PAR1") else head.split(b"\n", 1)[0]
    return b"attribute_name" in names


def _rows(report: EvidenceInput) -> list[dict[str, Any]]:
    info = tables.inspect(report)
    tables.require(report, info, ["attribute_name", "attribute_value"])
    if info.rows > MOST_ROWS:
        raise EvidenceProblem(
            file=report.name, expected=f"at most {MOST_ROWS:,} groups", found=f"{info.rows:,} rows", way_out=WAY_OUT
        )
    wanted = [name for name in info.names if name in ("attribute_name", "attribute_value") or name in _columns(info.names)]
    if len(wanted) < 3:
        figures = f"at least one of {', '.join(RATES[:5])} or their disparities"
        raise EvidenceProblem(file=report.name, expected=figures, found="none of them", way_out=WAY_OUT)
    table = tables.load(report, wanted)
    columns = {name: tables.numbers(report, table, name) if name in _columns(info.names) else table[name] for name in wanted}
    return [{name: values[at] for name, values in columns.items()} for at in range(info.rows)]


def _sensitive(predictions: EvidenceInput | None) -> list[str]:
    mapped = predictions.columns.get("sensitive") if predictions is not None else None
    return [mapped] if isinstance(mapped, str) else [str(name) for name in mapped or []]


def _frame(report: EvidenceInput, sensitive: list[str]) -> list[dict[str, Any]]:
    """Fairlearn's groups in the shape of Aequitas' rows."""
    groups = fairlearn_table.read(report, sensitive)
    rates = sorted({rate for group in groups for rate in group.figures})
    return [
        {
            "attribute_name": _AND.join(group.attributes),
            "attribute_value": _AND.join(group.values),
            **{rate: group.figures.get(rate, math.nan) for rate in rates},
        }
        for group in groups
    ]


def _columns(names: Iterable[str]) -> set[str]:
    return {name for name in names if name in RATES or name.removesuffix("_disparity") in RATES}


def _counts(predictions: EvidenceInput, attributes: list[str]) -> dict[str, Counts]:
    """(true positives, false positives, false negatives, true negatives) by the value of an attribute, or of several together."""
    label, decision = predictions.columns.get("label"), predictions.columns.get("prediction")
    if not (isinstance(label, str) and isinstance(decision, str)):
        raise EvidenceProblem(
            file=predictions.name, expected="columns.label and columns.prediction mapped", found="not both", way_out=WAY_OUT
        )
    info = tables.inspect(predictions)
    tables.require(predictions, info, [label, decision, *attributes])
    y, d = quote_name(label), quote_name(decision)
    each = [f"trim(CAST({quote_name(name)} AS VARCHAR))" for name in attributes]
    group, known = f" || '{_AND}' || ".join(each), " AND ".join(f"{part} IS NOT NULL" for part in each)
    true, chosen = f"CAST({y} AS DOUBLE) = 1", f"CAST({d} AS DOUBLE) = 1"
    with tables.connect({"data": predictions}) as connection:
        found = connection.execute(
            f"SELECT {group}, count(*) FILTER ({true} AND {chosen}), count(*) FILTER (NOT {true} AND {chosen}), "
            f"count(*) FILTER ({true} AND NOT {chosen}), count(*) FILTER (NOT {true} AND NOT {chosen}) "
            f"FROM data WHERE {y} IS NOT NULL AND {d} IS NOT NULL AND {known} GROUP BY 1"
        ).fetchall()
    return {str(value).strip(): (int(tp), int(fp), int(fn), int(tn)) for value, tp, fp, fn, tn in found}


def rates_of(counts: Counts) -> dict[str, float]:
    """Aequitas' rates of one group, and its accuracy; NaN where nothing is below the line."""
    tp, fp, fn, tn = counts

    def over(top: int, below: int) -> float:
        return top / below if below else math.nan

    return {
        "pprev": over(tp + fp, tp + fp + fn + tn), "tpr": over(tp, tp + fn), "fpr": over(fp, fp + tn), "fnr": over(fn, tp + fn),
        "tnr": over(tn, fp + tn), "precision": over(tp, tp + fp), "npv": over(tn, fn + tn), "fdr": over(fp, tp + fp),
        "for": over(fn, fn + tn), "prev": over(tp + fn, tp + fp + fn + tn), "accuracy": over(tp + tn, tp + fp + fn + tn),
    }  # fmt: skip


def _known(row: Mapping[str, Any], counts: Mapping[str, Mapping[str, Counts]]) -> bool:
    groups = counts.get(str(row["attribute_name"]))
    return groups is None or str(row["attribute_value"]).strip() in groups


def _compared(
    attribute: str, rows: list[dict[str, Any]], counts: Mapping[str, Counts]
) -> list[tuple[str, str, str, float, float]]:
    """(attribute, group, name of the figure, reported, measured), for every figure both sides have."""
    own = {group: rates_of(each) for group, each in counts.items()}
    here = [row for row in rows if str(row["attribute_name"]) == attribute]
    found = []
    for name in sorted({name for row in here for name in row} - {"attribute_name", "attribute_value"}):
        rate = name.removesuffix("_disparity")
        reference = None
        if rate != name:
            reference = next((own.get(str(row["attribute_value"]).strip()) for row in here if row[name] == 1.0), None)
            if reference is None or not reference[rate] > 0:
                continue
        for row in here:
            group = str(row["attribute_value"]).strip()
            if group not in own or not math.isfinite(row[name]):
                continue
            ours = own[group][rate] / (reference[rate] if reference is not None else 1.0)
            if math.isfinite(ours):
                found.append((attribute, group, name, float(row[name]), ours))
    return found


def _measures(compared: list[tuple[str, str, str, float, float]], unmatched: list[str]) -> Iterable[Measure]:
    yield Measure("fairness_report.compared", float(len(compared)), n=len(compared))
    yield Measure("fairness_report.unmatched", float(len(unmatched)), text=", ".join(unmatched[:20]))
    worst = max(compared, key=lambda item: abs(item[3] - item[4]))
    for group, (attribute, level, name, theirs, ours) in [
        ("", worst),
        *(
            (f"attribute={each}", max((item for item in compared if item[0] == each), key=lambda item: abs(item[3] - item[4])))
            for each in dict.fromkeys(item[0] for item in compared)
        ),
    ]:
        words = f"{name} of {attribute}={level}: {theirs:.9g} reported, {ours:.9g} measured"
        yield Measure("fairness_report.difference", abs(theirs - ours), group, text=words, n=len(compared))


def _picture(compared: list[tuple[str, str, str, float, float]]) -> Picture:
    ranked = sorted(compared, key=lambda item: -abs(item[3] - item[4]))
    shown = ranked[:15]
    values = [
        {"label": f"{attribute}={group}, {name}"[:60], "from": word, "value": value}
        for attribute, group, name, theirs, ours in shown
        for word, value in (("reported", theirs), ("measured", ours))
    ]
    spec = {
        "width": 560,
        "data": {"values": values},
        "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
        "encoding": {
            "y": {"field": "label", "type": "nominal", "sort": None, "title": None},
            "x": {"field": "value", "type": "quantitative", "title": "Value"},
            "color": {"field": "from", "type": "nominal", "sort": ["reported", "measured"], "title": None},
            "shape": {"field": "from", "type": "nominal", "sort": ["reported", "measured"], "title": None},
        },
    }
    rows = tuple(
        (a, g, name, f"{theirs:.9g}", f"{ours:.9g}", f"{abs(theirs - ours):.2g}") for a, g, name, theirs, ours in ranked[:500]
    )
    words = f"{len(compared)} figures were compared; the largest difference is {abs(ranked[0][3] - ranked[0][4]):.2g}."
    columns = ("Attribute", "Group", "Figure", "Reported", "Measured", "Difference")
    return Picture("fairness_report", "Reported against measured fairness", words, spec, columns, rows)
