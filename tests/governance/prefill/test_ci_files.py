"""Facts from pull requests, scans, lineage records and lock files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from governance.prefill.reading import Reading
from tests.governance.prefill.looking import errors, values

Read = Callable[..., Reading]


def review(who: str, state: str, commit: str = "c2") -> dict[str, Any]:
    return {"author": {"login": who}, "state": state, "commit": {"oid": commit}}


def test_the_last_word_of_each_reviewer_counts(read: Read) -> None:
    reviews = [
        review("pia", "APPROVED", "c1"),
        review("amir", "APPROVED"),
        review("pia", "CHANGES_REQUESTED"),
        review("ruth", "COMMENTED"),
    ]
    told = read("pr.json", {"author": {"login": "dana"}, "headRefOid": "c2", "url": "https://git/1", "reviews": reviews})
    assert told.reader == "pull_request"
    assert values(told) == {
        "code.author": "dana", "code.commit": "c2", "code.pull_request": "https://git/1",
        "code.approvals": ["amir"], "code.approved_commit": "c2",
    }  # fmt: skip
    assert "pia asked for changes" in told.problems[0].detail


def test_approvals_of_different_commits_are_no_approved_commit(read: Read) -> None:
    reviews = [review("pia", "APPROVED", "c1"), review("amir", "APPROVED", "c2"), {"state": "APPROVED"}]
    told = read("pr.json", {"headRefOid": "c2", "reviews": reviews})
    assert "code.approved_commit" not in values(told) and values(told)["code.approvals"] == ["pia", "amir"]
    assert len(errors(told)) == 1


def test_a_merge_request_of_gitlab(read: Read) -> None:
    told = read("mr.json", {"approvals_required": 2, "approved_by": [{"user": {"username": "pia"}}, {"user": None}]})
    assert values(told) == {"code.approvals": ["pia"]}


def test_a_scan_names_its_commit_unless_it_names_two(read: Read) -> None:
    def scan(*commits: str) -> Reading:
        rows = [{"repositoryUri": "https://git/shop", "revisionId": commit} for commit in commits]
        return read("scan.sarif", {"version": "2.1.0", "runs": [{"versionControlProvenance": rows}]})

    assert values(scan("c1")) == {"code.repository": "https://git/shop", "code.commit": "c1"}
    assert "code.commit" not in values(scan("c1", "c2"))


def test_lineage_of_the_last_run(read: Read) -> None:
    job = {"namespace": "airflow", "name": "orders", "facets": {"ownership": {"owners": [{"name": "team:data"}]}}}
    events = [
        {"eventType": "COMPLETE", "eventTime": "2026-11-19T05:00:00Z", "job": job, "run": {"runId": "r1"},
         "inputs": [{"namespace": "s3://lake", "name": "raw"}], "outputs": [{"namespace": "s3://lake", "name": "clean"}]},
        {"eventType": "FAIL", "eventTime": "2026-11-20T05:00:00Z", "job": job, "run": {"runId": "r2"}},
    ]  # fmt: skip
    told = read("events.json", events)
    assert values(told) == {
        "data.sources": ["s3://lake/raw"], "data.outputs": ["s3://lake/clean"], "system.owner": "team:data",
        "pipeline.run_id": "r2", "pipeline.last_success_at": "2026-11-19",
    }  # fmt: skip
    assert "did not complete" in told.problems[0].detail


def test_a_lock_file_says_what_comes_from_outside(read: Read) -> None:
    stage = "stages:\n  clean:\n    cmd: python c.py\n    deps: [{path: raw.csv, md5: aa}, {path: c.py, md5: bb}]\n"
    told = read("dvc.lock", "schema: '2.0'\n" + stage + "    outs: [{path: clean.csv, md5: cc}]\n")
    assert told.reader == "dvc_lock"
    assert values(told) == {"data.sources": ["raw.csv"], "data.outputs": ["clean.csv"]}


def test_odd_shapes_cost_nothing(read: Read) -> None:
    odd: list[Any] = [
        {"headRefOid": 1, "reviews": [1, None, {"author": 3}]},
        {"version": "2.1.0", "runs": [None, {"versionControlProvenance": {"a": 1}}]},
        [{"eventTime": 4, "job": {}, "inputs": "x", "outputs": [None]}],
        {"stages": {"a": {"deps": 3, "outs": [{"md5": 1}]}}},
    ]
    for content in odd:
        assert read("odd.json", content).facts is not None
