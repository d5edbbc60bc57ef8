"""The one way model readers refuse a file: `ModelRefused`, turned into an `EvidenceProblem` with the file's name by
`models.open_model`.
"""

from __future__ import annotations


class ModelRefused(Exception):
    """The content is damaged or not allowed. `expected` and `found` finish the sentence “expected …, found …”."""

    def __init__(self, expected: str, found: str, way_out: str = "") -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected, self.found, self.way_out = expected, found, way_out


def whole(value: object, what: str, low: int, high: int) -> int:
    """Return `value` as an integer in [low, high]; refuse anything else (`what` names it in the message)."""
    try:
        number = int(str(value))
    except ValueError:
        raise ModelRefused(f"{what} as a whole number", f"“{str(value)[:40]}”") from None
    if not low <= number <= high:
        raise ModelRefused(f"{what} between {low} and {high}", str(number))
    return number
