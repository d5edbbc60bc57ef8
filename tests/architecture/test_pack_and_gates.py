"""The shipped pack and the gate catalogue agree: gates and collectors exist, limits are those that the gate reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.registry import collectors, gates
from governance.policy import Pack, load_pack
from governance.services.packs import PACKS

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(PACKS.glob("*.yaml"))


@pytest.fixture(params=FILES, ids=[path.stem for path in FILES])
def pack(request: pytest.FixtureRequest) -> Pack:
    path = request.param
    questionnaire = path.parent / "questionnaires" / path.name
    return load_pack(path.read_text(), questionnaire.read_text() if questionnaire.exists() else None)


def test_every_gate_of_the_pack_exists(pack: Pack) -> None:
    assert {use.gate for use in pack.gates} <= set(gates())


def test_every_limit_is_one_the_gate_reads(pack: Pack) -> None:
    odd = {}
    for use in pack.gates:
        given = set(use.limits)
        for more in (*use.limits_by_track.values(), *use.limits_by_domain.values()):
            given |= set(more)
        if unknown := given - set(gates()[use.gate].limits):
            odd[use.gate] = unknown
    assert odd == {}


def test_every_measured_fact_has_a_collector(pack: Pack) -> None:
    assert set(pack.measured) <= set(collectors())


def test_every_setting_for_collectors_is_read_by_one(pack: Pack) -> None:
    """A number in the pack that nothing reads would promise what does not happen."""
    source = "\n".join(path.read_text() for path in (ROOT / "gates" / "metrics").rglob("*.py"))
    assert [name for name in pack.settings if f'"{name}"' not in source] == []
