"""A back-test's result as one reader may see it: counts speak of everybody, names only of the reader's own units."""

from __future__ import annotations

from typing import Any

from governance.models import Backtest
from governance.selectors.access import Caller


def result_for(row: Backtest, caller: Caller) -> dict[str, Any] | None:
    """The result with submissions of other units left out; None while there is none."""
    if row.result is None:
        return None
    result: dict[str, Any] = dict(row.result)
    seen = [each for each in result["submissions"] if caller.sees_all_units or each.get("unit") in caller.units]
    result["not_shown"] = result["changed"] - len(seen)
    result["submissions"] = [{name: value for name, value in each.items() if name not in ("unit", "decision")} for each in seen]
    return result
