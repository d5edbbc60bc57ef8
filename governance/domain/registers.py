"""The registers that rules read: data sources, architectures, vendors and regions. Pure.

Each is a list of entries with the same life: one person proposes, another approves, both stay on record. What differs is which
fields an entry has, who decides, and which fact names an entry in a submission.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from governance.domain.errors import FieldError, NotFound
from governance.domain.register_fields import Field
from governance.domain.vocabulary import Role

CONSENT_BASES = (
    "consent",
    "contract",
    "legal_obligation",
    "vital_interests",
    "public_task",
    "legitimate_interests",
    "not_personal_data",
)
ACCESS_CLASSES = ("public", "internal", "confidential", "restricted")
"""From the least to the most protected."""

_OFFICES = frozenset({Role.LEGAL, Role.SECURITY})
OUTCOMES = ("passed", "passed_with_conditions", "failed")


@dataclass(frozen=True)
class Register:
    """One register. `fact`: the fact that names its entries in a submission, "" where none does; `noun`: one entry, in words.

    `tab`: its short title; `columns`: fields its table shows; `looks_at`: what whoever decides looks at.
    """

    key: str
    title: str
    tab: str
    noun: str
    lede: str
    fields: tuple[Field, ...]
    columns: tuple[str, ...]
    deciders: tuple[Role, ...]
    name_hint: str
    looks_at: str
    file_hint: str = "CSV with a column “name” and a column for each field."
    fact: str = ""

    @property
    def who_decides(self) -> str:
        """`the data steward (privacy) or the policy author`, `legal or security`."""
        return " or ".join(role.label if role in _OFFICES else f"the {role.label}" for role in self.deciders)

    def check(self, values: Mapping[str, Any]) -> tuple[FieldError, ...]:
        """What the whole entry lacks, beside what is wrong in single fields."""
        return _assessment(values) if self.key == "vendors" else ()


def _assessment(values: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """An outcome without who, when and until when says nothing."""
    if not values.get("outcome"):
        return ()
    wanted = {"assessed_by": "who assessed it", "assessed_on": "the day", "valid_until": "until when it holds"}
    missing = [FieldError(f"/{name}", "missing", f"Say {words}.") for name, words in wanted.items() if not values.get(name)]
    if not missing and values["valid_until"] < values["assessed_on"]:
        return (FieldError("/valid_until", "invalid", "It cannot end before the day of the assessment."),)
    return tuple(missing)


SOURCES = Register(
    key="sources",
    title="Data sources and feature stores",
    tab="Data sources",
    noun="data source",
    lede="An approved source keeps a new feature from being red. What is missing here counts as unknown, which is never green.",
    fields=(
        Field("approved", "Approved for use", "yes_no", "No takes the approval back: what reads it fails lineage from then on."),
        Field("owner", "Owner", "text", "A team that is reachable. A source without an owner fails lineage.", most=120),
        Field("is_feature_store", "Feature store", "yes_no", "Yes, when models take features from it by name."),
        Field(
            "features", "Approved features", "list", "Names, one a line. A new feature that is listed here needs no second look."
        ),
        Field("quality_rule", "Quality rule", "text", "What is checked before it is used, and where the result is."),
        Field("holds_personal_data", "Holds personal data", "yes_no"),
        Field(
            "consent_basis", "Legal basis", "choice", "The lawful basis of GDPR Article 6, for the purposes below.", CONSENT_BASES
        ),
        Field("consumer_rights", "Rights of the people in it", "text", "How access, deletion and opt-out (GDPR, CCPA) reach it."),
        Field("purposes", "May be used for", "list", "Decision domains such as credit or marketing; any for all."),
        Field("licence", "Agreement or licence", "text", most=120),
        Field("agreement_ends_on", "Agreement ends on", "date", "The last day on which it may be used."),
        Field("retention_days", "Rows are kept, in days", "days"),
        Field("region", "Region", "text", "Where it is stored, as the register of regions spells it, such as eu-west.", most=60),
        Field("access_class", "Access class", "choice", "What its readers have to be cleared for.", ACCESS_CLASSES),
        Field("refreshed_on", "Last refreshed on", "date"),
    ),
    columns=("owner", "approved", "quality_rule", "consent_basis", "region", "access_class", "refreshed_on"),
    deciders=(Role.PRIVACY, Role.POLICY_AUTHOR),
    name_hint="As metadata spells it: an address, a table, feast://project/view. One that ends in / stands for all below it.",
    looks_at="What you looked at: owner, quality rule, legal basis, agreement.",
    file_hint="What feast registry-dump prints, OpenLineage events, or CSV with a column “name”.",
    fact="data.sources",
)
ARCHITECTURES = Register(
    key="architectures",
    title="Approved architectures",
    tab="Architectures",
    noun="architecture",
    lede="Once your unit keeps this list, a model whose architecture is not on it, or no longer, is at least yellow.",
    fields=(
        Field("approved", "Approved for use", "yes_no", "No takes the approval back: its models are at least yellow then."),
        Field("owner", "Owner", "text", "The team that knows how it fails.", most=120),
        Field(
            "purposes",
            "May be used for",
            "list",
            "Decision domains such as credit; any or nothing for all.",
        ),
        Field("explained_by", "Explained by", "text", "How its single decisions are explained, and how far that was checked."),
        Field("limits", "Known limits", "text", "Where it must not be used, and how it fails."),
        Field("valid_until", "Looked at again by", "date", "After this day the approval has ended. Empty: no end."),
    ),
    columns=("approved", "owner", "purposes", "explained_by", "valid_until"),
    deciders=(Role.ANALYST, Role.POLICY_AUTHOR),
    name_hint="The class as metadata spells it, such as XGBClassifier; with or without its module.",
    looks_at="What you looked at: how it fails, how it is explained, what it may decide.",
    fact="model.architecture",
)
VENDORS = Register(
    key="vendors",
    title="Vendors with assessments",
    tab="Vendors",
    noun="vendor",
    lede="A model from a third party is looked up here. Without a valid assessment it is at least yellow; a failed one is red.",
    fields=(
        Field("provides", "Provides", "text", "Models or services of theirs in use here."),
        Field("assessed_by", "Assessed by", "text", "The person or team that looked.", most=120),
        Field("assessed_on", "Assessed on", "date"),
        Field("outcome", "Outcome", "choice", "Empty while nobody has assessed it.", OUTCOMES),
        Field("conditions", "Conditions", "text", "What has to hold for the outcome to count."),
        Field("valid_until", "Valid until", "date", "The last day on which the assessment counts."),
        Field("contract", "Contract", "text", "Its number, and who keeps it.", most=120),
        Field("owner", "Owner here", "text", "Who answers for the relation.", most=120),
    ),
    columns=("provides", "outcome", "assessed_by", "assessed_on", "valid_until", "contract"),
    deciders=(Role.LEGAL, Role.SECURITY),
    name_hint="As the answer to “Which vendor does it come from?” spells it.",
    looks_at="What you looked at: the assessment itself, its conditions, the contract.",
    fact="vendor.name",
)
REGIONS = Register(
    key="regions",
    title="Allowed regions",
    tab="Regions",
    noun="region",
    lede="Once your unit keeps this list, data from a region that is not on it is red, from a region nobody registered yellow.",
    fields=(
        Field("approved", "Allowed", "yes_no", "No forbids it: what reads data stored there is red from then on."),
        Field("regimes", "Only under", "list", "Regimes such as EU-GDPR for which it is allowed; empty: under every one."),
        Field("basis", "On which basis", "text", "Adequacy decision, standard clauses, a rule of the house."),
    ),
    columns=("approved", "regimes", "basis"),
    deciders=(Role.PRIVACY, Role.LEGAL),
    name_hint="As the register of data sources spells it, such as eu-west.",
    looks_at="What you looked at: where it is, who can reach it, under which law.",
)
REGISTERS: Mapping[str, Register] = {each.key: each for each in (SOURCES, ARCHITECTURES, VENDORS, REGIONS)}


def register_named(key: str) -> Register:
    """One register. Raises `NotFound`."""
    if key not in REGISTERS:
        raise NotFound(f"There is no register “{key[:40]}”. There are: {', '.join(REGISTERS)}.")
    return REGISTERS[key]
