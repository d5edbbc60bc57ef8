"""Conditions of a pack in CEL (Common Expression Language, cel.dev): read and checked here, evaluated in a confined child.

An expression reads facts by their written names, so that what it rests on is known before it runs: it is given those facts and
nothing else. Parsing and type-checking are the language's own, by its official library, which bounds nesting; `load_pack` refuses
what does not pass. The library is loaded by the first pack that has such a condition, never when a process starts.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from governance.domain.facts import FactSet
from governance.policy.conditions import is_fact_name
from governance.policy.pack_fields import FactName, Part, Words

CEL_GATE = "GR108"
"""The gate that judges them: a pack with conditions has to use it, so that none is written and never asked."""
LONGEST, MOST_CONDITIONS = 2_000, 100
_HOW = 'Read a fact by its name: facts["decision.domain"]. Ask whether somebody said it: "decision.domain" in facts.'
_TOKEN = re.compile(
    r"""(?P<text>[bB]?[rR](?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"\n]*"|'[^'\n]*')"""
    r"""|[bB]?(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))"""
    r"""|(?P<comment>//[^\n]*)|(?P<word>[A-Za-z_]\w*)|(?P<space>\s+)|(?P<sign>.)""",
    re.DOTALL,
)


def facts_read(expression: str) -> tuple[str, ...]:
    """Names of the facts an expression reads, in the order written. Raises `ValueError` where one is not named in the text."""
    tokens = [
        (str(found.lastgroup), found[0]) for found in _TOKEN.finditer(expression) if found.lastgroup not in ("space", "comment")
    ]
    none = ("", "")
    names = []
    for at, token in enumerate(tokens):
        if token != ("word", "facts"):
            continue
        before = (none, none, none, *tokens[:at])[-3:]
        after, literal, closing = (*tokens[at + 1 : at + 4], none, none, none)[:3]
        if after == ("sign", "[") and closing == ("sign", "]"):
            names.append(_name(literal))
        elif before[2] == ("word", "in") and before[0] != ("sign", "+") and after[1] not in ("[", "."):
            names.append(_name(before[1]))
        else:
            raise ValueError(f"“facts” stands alone. {_HOW}")
    if not names:
        raise ValueError(f"The expression reads no fact, so it says the same about everything. {_HOW}")
    return tuple(dict.fromkeys(names))


def _name(token: tuple[str, str]) -> str:
    kind, text = token
    name = text[1:-1]
    if kind != "text" or text[0] not in "\"'" or not is_fact_name(name):
        raise ValueError(f"{text[:80]} is no name of a fact. {_HOW}")
    return name


@functools.cache
def _environment() -> tuple[Any, Any]:
    from cel_expr_python import cel  # noqa: PLC0415 - native code that only packs with such conditions need

    return cel, cel.NewEnv(variables={"facts": cel.Type.Map(cel.Type.STRING, cel.Type.DYN)})


def compiled(expression: str) -> Any:
    """The expression, parsed and type-checked by the library. Raises `ValueError` with place and reason."""
    cel, environment = _environment()
    try:
        found = environment.compile(expression)
    except RuntimeError as exc:
        first = str(exc).removeprefix("INVALID_ARGUMENT: ").splitlines()[0]
        place = re.match(r"ERROR: <input>:(\d+):(\d+): ", first)
        where = f"line {place[1]}, character {place[2]}: " if place else ""
        raise ValueError(f"This is no CEL: {where}{first[place.end() if place else 0 :][:300]}") from None
    if found.return_type() not in (cel.Type.BOOL, cel.Type.DYN):
        raise ValueError(f"The expression gives {found.return_type().name().lower()}; it has to give true or false.")
    return found


class CelExample(Part):
    """A worked case: facts as they are known, and whether the condition holds, is broken, or cannot be told."""

    name: Words
    facts: dict[FactName, Any] = Field(default_factory=dict)
    gives: Literal["holds", "broken", "unknown"]


class CelCondition(Part):
    """One condition. `holds`: what has to be true; `says`: what people read when it is not; `otherwise`: what follows then.

    What it reads and nobody said makes it unknown, unless the rest decides alone (`false && x` is false): unknown is not held.
    """

    id: Annotated[str, Field(pattern=r"^CE-\d{3}$")]
    why: Words
    holds: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    says: Words
    otherwise: Literal["fail", "warn"] = "fail"
    examples: tuple[CelExample, ...]

    @field_validator("examples", mode="before")
    @classmethod
    def _as_tuple(cls, raw: Any) -> Any:
        return tuple(raw) if isinstance(raw, list) else raw

    @field_validator("holds")
    @classmethod
    def _is_cel(cls, raw: str) -> str:
        compiled(raw)
        facts_read(raw)
        return raw

    @model_validator(mode="after")
    def _shown_on_examples(self) -> CelCondition:
        missing = [word for word in ("holds", "broken") if word not in {example.gives for example in self.examples}]
        if missing:
            raise ValueError(f"{self.id} needs an example that gives “{missing[0]}”.")
        for example in self.examples:
            if odd := sorted(set(example.facts) - set(self.reads)):
                raise ValueError(f"The example “{example.name}” of {self.id} says {odd[0]}, which the expression does not read.")
        return self

    @property
    def reads(self) -> tuple[str, ...]:
        """Every fact the expression reads."""
        return facts_read(self.holds)

    def asked(self, known: Mapping[str, Any], *, name: str = "") -> dict[str, Any]:
        """What goes to the confined child: the expression, and the facts it reads as far as they are known."""
        facts = {fact: value for fact in self.reads if (value := known.get(fact)) is not None}
        return {"id": name or self.id, "holds": self.holds, "says": self.says, "otherwise": self.otherwise, "facts": facts}

    def asked_about(self, facts: FactSet) -> dict[str, Any]:
        """The same about a submission. `also`: what less assured sources say otherwise; the stricter answer counts."""
        said = {name: [fact.value for fact in facts.distinct(name)] for name in self.reads}
        also = {name: values[1:] for name, values in said.items() if len(values) > 1}
        asked = self.asked({name: values[0] for name, values in said.items() if values})
        return {**asked, "also": also} if also else asked


def asked_of(conditions: Iterable[CelCondition], facts: FactSet) -> list[dict[str, Any]]:
    """Every condition with what is known of the facts it reads: frozen with the run, so that its digest covers both."""
    return [each.asked_about(facts) for each in conditions]
