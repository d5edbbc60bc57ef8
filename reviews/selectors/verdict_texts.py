"""The verdict document as text that pipelines read: Markdown, SARIF 2.1.0 and JUnit XML."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

_LEVEL = {"fail": "error", "not_assessed": "error", "warn": "warning", "pass": "none", "not_applicable": "none"}
_MARK = {"pass": "✅", "warn": "⚠️", "fail": "❌", "not_assessed": "❔", "not_applicable": "➖"}
_CONTROL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def markdown(verdict: Mapping[str, Any]) -> str:
    """The verdict as Markdown. Text from submitters is escaped: it is shown, never interpreted."""
    title = f"{verdict['system']} {verdict['version']} → {verdict['environment']}"
    so_far, state = "" if verdict["track_is_final"] else " so far", verdict["state"].replace("_", " ")
    lines = [
        f"## Guiderail: {_md(title)}",
        "",
        f"**{str(verdict['track']).capitalize()} track{so_far}**, {_md(state)}. {_md(verdict['says'])}",
        "",
    ]
    if verdict["reasons"]:
        lines += [
            "### Why",
            "",
            *(f"- {_md(row['says'])} (`{row['rule']}`, source: {_md(row['source'] or 'nobody')})" for row in verdict["reasons"]),
            "",
        ]
    for way in verdict["would_change"]:
        head = f"It would be {way['to']} if:" if way["possible"] else f"It cannot become {way['to']} by editing, because:"
        lines += [head, "", *(f"- {_md(change['change'])}" for change in way["if"]), ""]
    if verdict["gates"]:
        lines += ["### Gates", "", "| | Gate | Result | Limit |", "|---|---|---|---|"]
        for g in verdict["gates"]:
            mark = "⏸️ waived" if g.get("waived") else _MARK[g["verdict"]]
            lines.append(f"| {mark} | {g['code']} {_md(g['name'])} | {_md(g['says'])} | {_md(g['limit'] or '')} |")
        lines.append("")
    if verdict["steps"]:
        lines += [
            "### Review",
            "",
            *(
                f"- {s['role'].replace('_', ' ')}: {s['state']}{' by ' + _md(s['by']) if s.get('by') else ''}"
                for s in verdict["steps"]
            ),
            "",
        ]
    missing = [f"- {_md(q['ask'])} (`{q['id']}`)" for q in verdict["questions"]["missing"]]
    missing += [f"- evidence `{e['role']}`: {_md(e['why'])}" for e in verdict["missing_evidence"]]
    if missing:
        lines += ["### Still missing", "", *missing, ""]
    lines += [f"**Next:** {_md(verdict['next_step'])}", ""]
    if verdict["url"]:
        lines.append(f"<{verdict['url']}>")
    return "\n".join(lines) + "\n"


def sarif(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """SARIF 2.1.0: one rule per gate, one result per gate that is not green, one for a state that stops the pipeline."""
    base = str(verdict["url"] or "").split("/submissions/", maxsplit=1)[0]
    place = [
        {
            "physicalLocation": {"artifactLocation": {"uri": "guiderail.yaml"}, "region": {"startLine": 1}},
            "logicalLocations": [
                {"fullyQualifiedName": f"{verdict['system']}/{verdict['version']}/{verdict['environment']}", "kind": "module"}
            ],
        }
    ]
    rules = [
        {
            "id": g["code"],
            "name": g["name"],
            "shortDescription": {"text": g["name"].replace("-", " ")},
            **({"helpUri": base + g["learn"]} if base else {}),
        }
        for g in verdict["gates"]
    ]
    results = [
        {
            "ruleId": g["code"],
            "ruleIndex": index,
            "level": _LEVEL[g["verdict"]] if g["blocking"] else "note",
            "message": {"text": " ".join(filter(None, (g["says"], g["fix"])))},
            "locations": place,
            **_suppressed(g),
            "properties": {
                "verdict": g["verdict"],
                "blocking": g["blocking"],
                "observed": g["observed"],
                "limit": g["limit"],
                "n": g["n"],
            },
        }
        for index, g in enumerate(verdict["gates"])
        if _LEVEL[g["verdict"]] != "none"
    ]
    driver: dict[str, Any] = {"name": "Guiderail", "rules": rules}
    if base:
        driver["informationUri"] = base
    return {
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [
            {
                "tool": {"driver": driver},
                "results": results,
                "properties": {
                    key: verdict[key] for key in ("submission", "url", "state", "track", "exit_code", "says", "next_step")
                },
            }
        ],
    }


def _suppressed(gate: Mapping[str, Any]) -> dict[str, Any]:
    """A failure that is waived now, as SARIF says it."""
    waived = gate.get("waived")
    if not waived:
        return {}
    why = f"{waived['waiver']} until {waived['until']}: {waived['control']}"
    return {"suppressions": [{"kind": "external", "status": "accepted", "justification": why}]}


def junit(verdict: Mapping[str, Any]) -> str:
    """JUnit XML: a test case per gate and one for the decision."""
    suite = ElementTree.Element(
        "testsuite", name=_xml(f"guiderail {verdict['system']} {verdict['version']} {verdict['environment']}")
    )
    failures = errors = skipped = 0
    for gate in verdict["gates"]:
        case = ElementTree.SubElement(suite, "testcase", classname="guiderail.gates", name=_xml(f"{gate['code']} {gate['name']}"))
        text = _xml(" ".join(filter(None, (gate["says"], gate["fix"]))))
        if gate["verdict"] == "not_applicable":
            skipped += 1
            ElementTree.SubElement(case, "skipped", message=text)
        elif gate.get("waived"):
            skipped += 1
            ElementTree.SubElement(case, "skipped", message=_xml(f"Waived until {gate['waived']['until']}. {text}"))
        elif gate["blocking"] and gate["verdict"] == "fail":
            failures += 1
            ElementTree.SubElement(case, "failure", message=text, type="fail").text = text
        elif gate["blocking"] and gate["verdict"] == "not_assessed":
            errors += 1
            ElementTree.SubElement(case, "error", message=text, type="not_assessed").text = text
        else:
            ElementTree.SubElement(case, "system-out").text = text
    decision = ElementTree.SubElement(suite, "testcase", classname="guiderail", name="decision")
    text = _xml(f"{verdict['says']} {verdict['next_step']}")
    if verdict["exit_code"] == 1:
        failures += 1
        ElementTree.SubElement(decision, "failure", message=text, type=_xml(verdict["reason_code"])).text = text
    elif verdict["exit_code"] == 3:
        skipped += 1
        ElementTree.SubElement(decision, "skipped", message=text)
    else:
        ElementTree.SubElement(decision, "system-out").text = text
    suite.set("tests", str(len(verdict["gates"]) + 1))
    for name, number in (("failures", failures), ("errors", errors), ("skipped", skipped)):
        suite.set(name, str(number))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def _md(text: Any) -> str:
    """One line of Markdown text in which nothing is markup: no HTML, link, image, table bar or mention."""
    plain = html.escape(" ".join(str(text).split()), quote=False)
    return re.sub(r"([\\`*_{}\[\]#|~])", r"\\\1", plain).replace("@", "@\u200b").replace("://", ":\u200b//")


def _xml(text: Any) -> str:
    """Without the characters XML cannot carry."""
    return _CONTROL.sub("", str(text))


RENDERED: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "markdown": markdown,
    "sarif": lambda verdict: json.dumps(sarif(verdict), ensure_ascii=False, indent=1),
    "junit": junit,
}
"""The texts that a verdict can be given as, by their names in the client's `--format`."""
