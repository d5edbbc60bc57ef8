"""Courses by role, put together from what is in force: the guide to the role, what it attests, its rules, gates and questions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gates.registry import Gate
from gates.selectors.catalogue import catalogue
from governance.domain.errors import NotFound
from governance.domain.vocabulary import Role, Track
from governance.policy import Pack
from governance.policy.documents import templates
from governance.policy.learning import RoleGuide, glossary, roles_guide
from governance.policy.lessons import lessons
from governance.policy.questionnaire import Question
from governance.policy.regimes import regimes
from governance.policy.rules import Rule
from governance.policy.steps import Step
from governance.selectors.access import Caller
from governance.selectors.contacts import Contact, contacts
from governance.selectors.policy import installed_kinds, pack_in_force
from reviews.selectors.playbooks import playbooks


@dataclass(frozen=True)
class RolePage:
    """One role as people look it up. `steps`: what it is asked in packs in force, by the pack's title; `people`: whom to ask."""

    role: Role
    guide: RoleGuide
    steps: tuple[tuple[str, Step], ...]
    people: tuple[Contact, ...]


@dataclass(frozen=True)
class Course:
    """What somebody of a role reads, in order."""

    page: RolePage
    rules: tuple[tuple[str, tuple[Rule, ...]], ...]
    gates: tuple[Gate, ...]
    questions: tuple[tuple[str, tuple[Question, ...]], ...]


@dataclass(frozen=True)
class Written:
    """One file people learn from or work by."""

    what: str
    name: str
    version: str
    owner: str
    url: str


def packs_in_force() -> tuple[Pack, ...]:
    """The pack of every installed kind."""
    return tuple(pack_in_force(each.kind)[1] for each in installed_kinds())


def role_pages(caller: Caller) -> tuple[RolePage, ...]:
    """Every role, with what the packs in force ask of it and who holds it."""
    packs, people = packs_in_force(), contacts(caller)
    return tuple(_page(role, packs, people.get(role, ())) for role in Role)


def course(caller: Caller, role: str) -> Course:
    """The course of a role. Raises `NotFound` for a word that is no role."""
    if role not in Role._value2member_map_:
        raise NotFound("There is no such role. The list at /roles has them all.")
    wanted, packs = Role(role), packs_in_force()
    rules = ((pack.document.title, tuple(_rules(pack, wanted))) for pack in packs)
    questions = ((pack.document.title, tuple(_questions(pack, wanted))) for pack in packs)
    return Course(
        _page(wanted, packs, contacts(caller).get(wanted, ())),
        tuple((title, found) for title, found in rules if found),
        tuple(gate for gate in catalogue() if gate.read_by == wanted),
        tuple((title, found) for title, found in questions if found),
    )


def _page(role: Role, packs: Iterable[Pack], people: tuple[Contact, ...]) -> RolePage:
    steps = [
        (pack.document.title, step)
        for pack in packs
        for step in (*(step for track in Track for step in pack.document.tracks[track].steps), *pack.document.added_steps)
        if step.role is role
    ]
    return RolePage(role, roles_guide().of(role), tuple(steps), people)


def _rules(pack: Pack, role: Role) -> Iterable[Rule]:
    """Rules a role meets: those that ask for it, those of the track it decides, those it can answer; all of them for authors."""
    decides = {track for track in Track if any(step.role is role for step in pack.document.tracks[track].steps)}
    for rule in pack.rules:
        leads_to = {track for track in (Track.YELLOW, Track.RED) if rule.track is track or _band(rule, track)}
        mends = role is Role.SUBMITTER and rule.editable_by == "submitter"
        if role in rule.adds_steps or leads_to & decides or mends or role is Role.POLICY_AUTHOR:
            yield rule


def _band(rule: Rule, track: Track) -> bool:
    return rule.bands is not None and getattr(rule.bands, track.value) is not None


def _questions(pack: Pack, role: Role) -> Iterable[Question]:
    return pack.form.questions if role is Role.SUBMITTER and pack.questionnaire is not None else ()


def written() -> tuple[Written, ...]:
    """Every file with version and owner: policies, playbooks, templates, mappings, lessons, glossary, guide."""
    author = Role.POLICY_AUTHOR.label
    rows = [Written("policy", pack.document.title, pack.version, author, "/policies") for pack in packs_in_force()]
    rows += [Written("playbook", book.title, book.version, book.owner, "/incidents/playbooks") for book in playbooks()]
    rows += [Written("document template", t.title, t.version, t.owner.label, "/submissions") for t in templates()]
    rows += [Written("mapping", r.title, r.version, r.owner.label, f"/controls?regime={r.regime}") for r in regimes()]
    words, guide = glossary(), roles_guide()
    rows.append(Written("help", "Glossary", words.version, words.owner.label, "/glossary"))
    rows += [Written("lesson", each.title, each.version, each.owner.label, f"/learn/lessons/{each.lesson}") for each in lessons()]
    rows.append(Written("help", "Guide to roles", guide.version, guide.owner.label, "/roles"))
    return tuple(rows)
