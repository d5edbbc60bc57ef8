"""Every word of the closed sets has a badge with its own word and icon."""

from __future__ import annotations

from enum import Enum

import pytest

from governance.domain.vocabulary import Assurance, DecisionKind, Provenance, Severity, State, StepState, Track, Verdict
from governance.ui.badges import NO_TRACK, SETS, badge

MEMBERS = [
    (kind, member)
    for kind, members in (
        ("track", Track),
        ("state", State),
        ("verdict", Verdict),
        ("step", StepState),
        ("severity", Severity),
        ("provenance", Provenance),
        ("provenance", Assurance),
        ("decision", DecisionKind),
    )
    for member in members
]


@pytest.mark.parametrize(("kind", "member"), MEMBERS, ids=lambda value: str(getattr(value, "name", value)))
def test_every_member_is_known(kind: str, member: Enum) -> None:
    found = badge(kind, member)
    assert found in SETS[kind].values()
    assert found.word and found.icon and found.tone in {"green", "yellow", "red", "blue", "purple", "grey"}


@pytest.mark.parametrize("kind", ["track", "state", "verdict", "step"])
def test_no_two_members_share_word_and_icon(kind: str) -> None:
    faces = [(item.word, item.icon) for item in SETS[kind].values()]
    assert len(set(faces)) == len(faces)


def test_tracks_differ_in_shape_not_only_in_colour() -> None:
    assert len({item.icon for item in SETS["track"].values()}) == 3


def test_a_missing_verdict_is_never_green() -> None:
    assert badge("verdict", "not_assessed").tone != "green"
    assert badge("verdict", None).tone == "grey"
    assert badge("track", None) is NO_TRACK


def test_a_new_word_is_shown_as_it_is() -> None:
    assert badge("state", "on_hold").word == "On hold"


def test_an_unknown_set_is_a_mistake_of_the_page() -> None:
    with pytest.raises(KeyError):
        badge("mood", "good")
