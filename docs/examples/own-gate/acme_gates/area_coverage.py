"""Counts the people of each area among the rows that the candidate scored."""

from __future__ import annotations

from gates.collecting import Collected, EvidenceProblem, Inputs, working_on
from gates.spec import Measure

NAME, TITLE, VERSION, HEAVY = "area_coverage", "Counting the people of each area", 1, False
REQUIRES: tuple[str, ...] = ("candidate_predictions",)
OPTIONAL: tuple[str, ...] = ()
USES_FACTS: tuple[str, ...] = ()


def collect(inputs: Inputs) -> Collected:
    """`area.thin_share`: the share of rows in areas with fewer than `area_minimum` rows; `area.rows`: rows of each thin area.

    Settings of the pack: `area_column` (postcode), `area_minimum` (30).
    """
    # only the child process comes here: the web server never imports what reads files
    from gates.readers import tables  # noqa: PLC0415

    evidence = inputs.evidence["candidate_predictions"]
    column = str(inputs.settings.get("area_column", "postcode"))
    minimum = int(inputs.settings.get("area_minimum", 30))
    if column not in tables.inspect(evidence).names:
        raise EvidenceProblem(
            file=evidence.name,
            column=column,
            expected="the area of every row",
            found="no such column",
            way_out="Add it to the file, or name another column with “area_column” in the policy pack.",
        )
    working_on(f"counting the rows of each {column}")
    areas: dict[str, int] = {}
    for value in tables.load(evidence, (column,))[column]:
        areas[str(value)] = areas.get(str(value), 0) + 1
    total = sum(areas.values())
    thin = {area: rows for area, rows in sorted(areas.items()) if rows < minimum}
    share = sum(thin.values()) / total if total else None
    rows = [Measure("area.thin_share", share, n=total, reason="" if total else "The file has no rows.")]
    rows += [Measure("area.rows", float(count), f"area={area}", n=count) for area, count in list(thin.items())[:100]]
    return Collected(tuple(rows), notes=(f"{len(areas):,} areas, {len(thin):,} of them with fewer than {minimum} rows.",))
