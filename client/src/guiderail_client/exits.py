"""Exit codes, as the contract gives them, and the errors that lead to them. Nothing unexpected ever ends with 0."""

from __future__ import annotations

from typing import Final

OK: Final = 0
FAILED: Final = 1
INVALID: Final = 2
WAITING: Final = 3
NOT_ALLOWED: Final = 4
SERVER: Final = 5

MEANING: Final = {
    OK: "approved, or nothing wrong",
    FAILED: "a blocking gate failed or a person rejected it",
    INVALID: "invalid input",
    WAITING: "waiting for a person",
    NOT_ALLOWED: "not signed in, or not allowed",
    SERVER: "the server cannot be reached or is faulty",
}


class Problem(Exception):
    """Ends the command with `code`. `detail` is for people: what happened and what to do."""

    def __init__(self, code: int, detail: str, more: tuple[str, ...] = ()) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.more = more


def softened(code: int, soft: bool) -> int:
    """With `--soft-fail` a judgement (1, 3) does not stop the pipeline; what the client could not do (2, 4, 5) still does."""
    return OK if soft and code in (FAILED, WAITING) else code
