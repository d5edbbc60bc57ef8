"""What a reason-code file says, before any model is looked at: features that exist, plain and specific words, nothing protected.

Plain words: a sentence of 3 to 30 words without names of columns, statistics or the model. Specific words: Regulation B asks for
the
principal reasons, and CFPB circulars 2022-03 and 2023-03 refuse "internal standards" or "insufficient score" as a reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gates.collecting import Collected, Inputs
from gates.metrics.reason_codes_file_impl import ReasonCode, ReasonCodes, read, stands_for
from gates.spec import Measure

FEWEST_WORDS, MOST_WORDS = 3, 30
_NAMES = re.compile(r"\b\w+_\w+\b|\b[a-z]+[A-Z]\w*\b|\b[fF]\d+\b")
_TECHNICAL = re.compile(
    r"\b(shap|shapley|attribution|feature|variable|coefficient|log-?odds|logit|z-?score|standard deviation|percentile|quantile|"
    r"psi|null|nan|one-hot|embedding|model output|threshold|algorithm)s?\b",
    re.IGNORECASE,
)
_GENERIC = re.compile(
    r"\b(internal (standard|polic|criteri|scor)|our (standard|polic|criteri|scor)|credit policy|proprietary|"
    r"(insufficient|low|too low|qualifying|failing) (credit )?(scor|rating)|did not (qualify|meet)|does not meet|other reason|"
    r"more information needed|tbd|lorem ipsum)",
    re.IGNORECASE,
)
_PROTECTED_WORDS = re.compile(
    r"\b(your (age|sex|gender|race|colou?r|religion|nationality|ethnicity|marital status|pregnancy|disability|first name)|"
    r"(being|because you are) (a )?(woman|man|female|male|old|young|married|single|foreign)|national origin|ethnic origin|"
    r"public assistance)\b",
    re.IGNORECASE,
)


def measure(inputs: Inputs) -> Collected:
    """One count for each thing that can be wrong with a list of reasons. EvidenceProblem when the file cannot be read."""
    evidence = inputs.evidence.get("reason_codes")
    if evidence is None:
        return Collected(
            not_measured=(
                "No reason codes: attach the list of reasons people are given (role reason_codes: code, plain words, features)."
            )
        )
    codes = read(evidence)
    known = [str(name) for name in inputs.facts.get("model.features") or ()]
    protected = protected_names(inputs)
    total = len(codes.codes)
    return Collected(
        (
            Measure("reason_codes.codes", float(total), n=total, detail={"codes": [_shown(code) for code in codes.codes]}),
            _count(
                "unknown_features",
                _unknown(codes, known),
                total,
                asked=bool(known),
                why="The features of the model are not known.",
            ),
            _count("without_features", [code.code for code in codes.codes if not code.features], total),
            _count("not_plain", [f"{code.code} ({why})" for code in codes.codes if (why := not_plain(code.words))], total),
            _count("protected", _protected(codes, protected), total, detail={"attributes": sorted(protected)}),
            _count("doubled", _doubled(codes), total),
            _count("features_without_code", [name for name in known if codes.of(name) is None], len(known) or total),
        )
    )


def protected_names(inputs: Inputs) -> set[str]:
    """Names that must not stand behind a reason: protected attributes, proxies, and the sensitive columns of the predictions."""
    found: set[str] = set()
    for source in (
        inputs.facts.get("data.protected_attributes"),
        inputs.facts.get("data.protected_proxies"),
        inputs.settings.get("proxy_features"),
        inputs.settings.get("protected_features"),
    ):
        found |= {str(name) for name in source} if isinstance(source, list | tuple) else set()
    predictions = inputs.evidence.get("candidate_predictions")
    sensitive = predictions.columns.get("sensitive") if predictions is not None else None
    return found | ({sensitive} if isinstance(sensitive, str) else {str(name) for name in sensitive or ()})


def not_plain(words: str) -> str:
    """Why a person outside would not understand a reason or learn anything from it, or "" when it reads well."""
    count = len(re.findall(r"[^\W\d_]{2,}", words))
    if count < FEWEST_WORDS:
        return "too short to be a reason" if words else "no words"
    if count > MOST_WORDS:
        return f"{count} words, {MOST_WORDS} are the most"
    for pattern, why in ((_NAMES, "names a column"), (_TECHNICAL, "technical"), (_GENERIC, "says nothing specific")):
        if (hit := pattern.search(words)) is not None:
            return f"{why}: “{hit.group(0)}”"
    return ""


def belongs(feature: str, attribute: str) -> bool:
    """Whether a feature is the attribute itself or one of its one-hot columns (`sex`, `sex_male`, `sex=male`)."""
    name, wanted = feature.strip().lower(), attribute.strip().lower()
    return bool(wanted) and (
        name == wanted
        or name.startswith((f"{wanted}_", f"{wanted}=", f"{wanted}-", f"{wanted}__"))
        or name.endswith(f"__{wanted}")
    )


def _shown(code: ReasonCode) -> dict[str, Any]:
    return {"code": code.code, "words": code.words, "features": list(code.features)}


def _unknown(codes: ReasonCodes, known: Sequence[str]) -> list[str]:
    return [
        f"{code.code}: {name}"
        for code in codes.codes
        for name in code.features
        if not any(stands_for(have, name) for have in known)
    ]


def _protected(codes: ReasonCodes, attributes: Iterable[str]) -> list[str]:
    found = []
    for code in codes.codes:
        behind = next((name for name in code.features for attribute in attributes if belongs(name, attribute)), "")
        said = _PROTECTED_WORDS.search(code.words)
        if behind or said is not None:
            found.append(f"{code.code}: {behind or (said.group(0) if said else '')}")
    return found


def _doubled(codes: ReasonCodes) -> list[str]:
    names = [code.code for code in codes.codes]
    return sorted({name for name in names if names.count(name) > 1})


def _count(
    name: str, found: Sequence[str], n: int, *, asked: bool = True, why: str = "", detail: Mapping[str, Any] | None = None
) -> Measure:
    if not asked:
        return Measure(f"reason_codes.{name}", None, n=n, reason=why)
    more = f" and {len(found) - 8} more" if len(found) > 8 else ""
    return Measure(f"reason_codes.{name}", float(len(found)), n=n, text=", ".join(found[:8]) + more, detail=dict(detail or {}))
