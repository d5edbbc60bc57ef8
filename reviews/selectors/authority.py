"""Who may authorise what: data use, model updates, exposure and waivers, from the packs in force and who holds a role now.

Nothing stands here that is not enforced elsewhere; this only tells it in one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from governance.domain.registers import SOURCES
from governance.domain.vocabulary import Role, Track
from governance.policy import Pack
from governance.policy.exposure import FULL
from governance.selectors.access import Caller
from governance.selectors.contacts import Contact, contacts
from governance.selectors.policy import installed_kinds, pack_in_force


@dataclass(frozen=True)
class Authority:
    """One thing somebody may authorise. `roles`: in order; where there are none, `who` says it in words. `how`: under which
    conditions; `href`: where that is written or done."""

    what: str
    roles: tuple[Role, ...]
    how: str
    href: str
    link: str
    who: str = "The policy"


@dataclass(frozen=True)
class AuthorityGroup:
    """One kind of permission. `people`: who holds each role named in it now, where the reader may see it."""

    id: str
    title: str
    says: str
    rows: tuple[Authority, ...]
    people: Mapping[Role, tuple[Contact, ...]]


def authorities(caller: Caller) -> tuple[AuthorityGroup, ...]:
    """The four permissions with who holds them, from the packs in force."""
    packs = tuple(pack_in_force(each.kind)[1] for each in installed_kinds())
    held = contacts(caller)
    return (
        _group(
            "data-use",
            "Data use",
            "Which data a version may be made from. Whoever authorises data does not sign the risk of the same case.",
            tuple(_data(packs)),
            held,
        ),
        _group(
            "model-updates",
            "Model updates",
            "Whether a new version may be deployed at all. Nobody decides on what they submitted or worked on.",
            tuple(row for pack in packs for row in _updates(pack)),
            held,
        ),
        _group(
            "exposure",
            "Exposure",
            "To which share of traffic or people an approved version may go. An approval allows a first share; more is asked for "
            "by who answers for the version, and decided by somebody else on what the monitoring says.",
            tuple(row for pack in packs for row in _exposure(pack)),
            held,
        ),
        _group(
            "waivers",
            "Waivers",
            "Whether a version may go on for a time although a gate failed. Two signatures, a control in its place, an audit.",
            tuple(row for pack in packs for row in _waivers(pack)),
            held,
        ),
    )


def _group(
    name: str, title: str, says: str, rows: tuple[Authority, ...], held: Mapping[Role, tuple[Contact, ...]]
) -> AuthorityGroup:
    roles = dict.fromkeys(role for row in rows for role in row.roles)
    return AuthorityGroup(name, title, says, rows, {role: held.get(role, ()) for role in roles})


def _data(packs: tuple[Pack, ...]) -> Iterator[Authority]:
    yield Authority(
        "A data source enters or changes in the register",
        SOURCES.deciders,
        "One of them decides on what somebody else proposed, unless they work on a case that uses the source.",
        "/registers",
        "Registers",
    )
    for pack in packs:
        step = next((row for row in pack.document.added_steps if row.role is Role.PRIVACY), None)
        rules = [rule for rule in pack.rules if Role.PRIVACY in rule.adds_steps]
        if step is not None and rules:
            named = ", ".join(f"{rule.title} ({rule.id})" for rule in rules)
            yield Authority(
                f"{pack.document.title}: personal data in a version",
                (Role.PRIVACY,),
                f"Asked when a rule says so: {named}. They attest: {step.attests}",
                f"/policies?kind={pack.kind}#steps",
                "The step",
            )


def _updates(pack: Pack) -> Iterator[Authority]:
    for track in Track:
        plan = pack.document.tracks[track]
        if not plan.steps:
            yield Authority(
                f"{pack.document.title}, {track}",
                (),
                f"The policy approves by itself. {plan.why}",
                f"/policies?kind={pack.kind}",
                "The policy",
            )
            continue
        roles = tuple(step.role for step in plan.steps)
        how = f"{'Each of them signs, in this order' if len(roles) > 1 else 'They sign'}. {plan.why}"
        yield Authority(f"{pack.document.title}, {track}", roles, how, f"/policies?kind={pack.kind}#steps", "The steps")
    for step in pack.document.added_steps:
        rules = [rule.id for rule in pack.rules if step.role in rule.adds_steps]
        if rules and step.role is not Role.PRIVACY:
            how = f"Added by {', '.join(rules)}. They attest: {step.attests}"
            yield Authority(
                f"{pack.document.title}, where a rule asks", (step.role,), how, f"/policies?kind={pack.kind}#steps", "The step"
            )


def _exposure(pack: Pack) -> Iterator[Authority]:
    plan = pack.document.exposure
    if plan is None:
        yield Authority(
            f"{pack.document.title}, every track",
            (),
            "The policy says nothing of exposure, so an approval allows all of it at once.",
            f"/policies?kind={pack.kind}",
            "The policy",
            "Whoever approves the version",
        )
        return
    for track in Track:
        approvers = tuple(step.role for step in pack.document.tracks[track].steps)
        ladder = plan.tracks[track]
        where = f"/policies?kind={pack.kind}#exposure"
        at_once = "all of it" if ladder.first == FULL else f"up to {ladder.first} %"
        yield Authority(
            f"{pack.document.title}, {track}: {at_once}", approvers, "With the approval, no further request.", where, "The ladder"
        )
        for step in ladder.steps:
            how = step.why
            if step.automatic is not None:
                signals = ", ".join(name.replace("_", " ") for name in step.automatic.signals)
                how += (
                    f" The policy grants it by itself after {step.automatic.after_days} days at the share before, with {signals} "
                    "reported, everything within its limits and no open incident."
                )
            yield Authority(f"{pack.document.title}, {track}: up to {step.to} %", (step.by,), how, where, "The ladder")


def _waivers(pack: Pack) -> Iterator[Authority]:
    plan, waivable = pack.document.waivers, [use.gate for use in pack.gates if use.waivable]
    if plan is None or not waivable:
        where = f"/policies?kind={pack.kind}"
        yield Authority(f"{pack.document.title}: no gate", (), "No gate can be waived.", where, "The policy", "Nobody")
        return
    yield Authority(
        f"{pack.document.title}: {', '.join(waivable)}",
        (plan.stands_in, Role.RISK_OFFICER),
        f"First the manager of whoever asks signs ({plan.stands_in.label} where none is on record), then the risk officer. "
        f"At most {plan.max_days} days. Every other gate has to pass.",
        "/waivers",
        "Waivers",
    )
