"""Submissions in addresses: `S-1042` or `1042`."""

from __future__ import annotations


class SubmissionNumber:
    """Path converter `snum`: both spellings to the primary key."""

    regex = r"(?:S-)?[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value.removeprefix("S-"))

    def to_url(self, value: int | str) -> str:
        return f"S-{str(value).removeprefix('S-')}"
