"""What is wrong with a pack, a questionnaire or an answer, in words that say where and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from governance.domain.errors import FieldError, InvalidInput


class PackError(InvalidInput):
    """The pack or questionnaire text cannot be used. `errors` has one entry for each place, `pointer` the YAML path."""

    code = "policy_pack"
    title = "The policy pack cannot be loaded"

    @property
    def path(self) -> str:
        """The YAML path of the first error (`rules[3].bands.yellow`); empty when the whole text is meant."""
        return self.errors[0].pointer if self.errors else ""


class AnswerError(InvalidInput):
    """An answer is not of the kind its question asks for."""

    code = "answer"
    title = "The answer cannot be used"


def refuse_pack(path: str, expected: str, mend: str) -> PackError:
    """A `PackError` about one place. `expected` says what was expected and found, `mend` what to write."""
    detail = f"{expected} {mend}".strip()
    where = f"{path}: " if path else ""
    return PackError(where + detail, errors=(FieldError(path, "policy_pack", detail),))


def from_validation(what: str, error: ValidationError) -> PackError:
    """Turn pydantic's findings into YAML paths and plain words."""
    rows = tuple(
        FieldError(yaml_path(row["loc"]), row["type"], _words(row["type"], row["msg"], row["loc"])) for row in error.errors()
    )
    lines = "; ".join(f"{row.pointer or what}: {row.detail}" for row in rows[:5])
    more = f"; and {len(rows) - 5} more" if len(rows) > 5 else ""
    return PackError(f"{what} cannot be used. {lines}{more}", errors=rows)


def yaml_path(parts: Iterable[str | int]) -> str:
    """`("rules", 3, "bands")` as people write it: `rules[3].bands`."""
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def _words(kind: str, message: str, loc: Sequence[str | int]) -> str:
    if kind == "extra_forbidden":
        return f"“{loc[-1]}” is not a word of the pack. Remove it, or correct its spelling."
    if kind == "missing":
        return f"“{loc[-1]}” is missing. Add it."
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    return f"{message}. Correct the value."
