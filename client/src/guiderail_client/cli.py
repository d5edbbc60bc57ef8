"""The command line: arguments in, one exit code out."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from guiderail_client import __version__, commands
from guiderail_client.attestation import verify
from guiderail_client.exits import FAILED, INVALID, MEANING, OK, SERVER, Problem, softened
from guiderail_client.identity import ci_token
from guiderail_client.project import NAME, Project, read_project
from guiderail_client.scaffold import scaffold
from guiderail_client.server import Server
from guiderail_client.show.codequality import codequality
from guiderail_client.show.github import annotation_lines, outputs, summary
from guiderail_client.show.text import clean, coloured, note, permit_text, progress_line, verdict_text

SCHEMA_FILE = "guiderail.schema.json"
FORMATS = ("text", "json", "markdown", "github", "junit", "sarif", "codequality")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Whatever goes wrong has a code other than 0."""
    given = _parser().parse_args(argv)
    try:
        return softened(given.run(given), given.soft_fail)
    except Problem as problem:
        note(f"guiderail: {clean(problem.detail)}")
        for line in problem.more:
            note(f"  {clean(line)}")
        return problem.code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stdout = None
        return SERVER
    except Exception as error:  # the pipeline must not go on because this client has a fault
        note(f"guiderail: a fault in the client: {type(error).__name__}: {error}. Please report it.")
        return SERVER


def _parser() -> argparse.ArgumentParser:
    codes = "; ".join(f"{code} {words}" for code, words in MEANING.items())
    parser = argparse.ArgumentParser(
        prog="guiderail", description="Submit, preview, wait and ask for permits.", epilog=f"Exit codes: {codes}."
    )
    parser.add_argument("--version", action="version", version=f"guiderail {__version__}")
    to = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--server", default="", help="address; else GUIDERAIL_URL, else “server” in guiderail.yaml")
    common.add_argument("--soft-fail", action="store_true", help="report, but end with 0 instead of 1 and 3")
    shown = argparse.ArgumentParser(add_help=False)
    shown.add_argument("--format", choices=FORMATS, default="text")
    shown.add_argument("--output", type=Path, help="write the format there; people still read the text here")
    about = argparse.ArgumentParser(add_help=False)
    about.add_argument("--file", type=Path, default=Path(NAME), help=f"instead of {NAME}")
    about.add_argument("--release", default="", metavar="VERSION", help="instead of “version” in the file")
    about.add_argument("--environment", default="", help="instead of “environment” in the file")
    one = argparse.ArgumentParser(add_help=False)
    one.add_argument("submission", nargs="?", default="", help="S-…; else the newest of the file's system and version")
    waiting = argparse.ArgumentParser(add_help=False)
    waiting.add_argument("--until", choices=("checks", "decision"), default="decision", help="gates finished, or decided")
    waiting.add_argument("--timeout", type=float, default=1800, metavar="SECONDS")

    init = to.add_parser("init", parents=[], help=f"write a first {NAME}")
    init.add_argument("--force", action="store_true", help="overwrite")
    init.set_defaults(run=_init, soft_fail=False)
    look = to.add_parser("preview", parents=[common, shown, about], help="what would happen; records nothing")
    look.add_argument("--local", action="store_true", help="rules and gates run here (GUIDERAIL_SERVER_DIR); no server is asked")
    look.set_defaults(run=_preview)
    hand_in = to.add_parser("submit", parents=[common, shown, about, waiting], help="hand it in")
    hand_in.add_argument("--draft", action="store_true", help="keep it as a draft")
    hand_in.add_argument("--wait", action="store_true", help="and wait, as “guiderail wait” does")
    hand_in.set_defaults(run=_submit)
    to.add_parser("wait", parents=[common, shown, about, one, waiting], help="wait for gates or people").set_defaults(run=_wait)
    to.add_parser("status", parents=[common, shown, about, one], help="the verdict as it stands").set_defaults(run=_status)
    to.add_parser("explain", parents=[common, about], help="what a gate checks and why").set_defaults(run=_explain)
    to.choices["explain"].add_argument("gate", help="such as GF101")
    evidence = to.add_parser("evidence", help="store files of evidence")
    add = evidence.add_subparsers(dest="what", required=True, metavar="add").add_parser("add", parents=[common, about])
    add.add_argument("paths", nargs="+", type=Path, metavar="FILE")
    add.set_defaults(run=_evidence)
    ask = to.add_parser("permit", parents=[common, about], help="may it be deployed?")
    ask.add_argument("--system", default="")
    ask.add_argument("--digest", default="", help="sha256:… of the artefact")
    ask.add_argument("--artifact", type=Path, help="the artefact itself; its digest is taken here")
    share = "share of traffic or people it goes to; all of it unless told here or in GUIDERAIL_EXPOSURE"
    ask.add_argument("--exposure", type=int, metavar="PERCENT", default=os.environ.get("GUIDERAIL_EXPOSURE") or None, help=share)
    ask.add_argument("--format", choices=("text", "json"), default="text")
    ask.add_argument("--attestation", type=Path, metavar="FILE", help="when allowed, keep the signed statement there")
    ask.set_defaults(run=_permit)
    check = to.add_parser("verify", help="check a permit's attestation without asking the server")
    check.add_argument("attestation", type=Path)
    check.add_argument("--keys", type=Path, required=True, help="the server's /.well-known/guiderail/keys.json, kept by you")
    check.add_argument("--artifact", type=Path, required=True)
    check.add_argument("--environment", default="production")
    check.add_argument(
        "--exposure", type=int, metavar="PERCENT", default=os.environ.get("GUIDERAIL_EXPOSURE") or "100", help=share
    )
    check.set_defaults(run=_verify, soft_fail=False)
    return parser


def _server(given: argparse.Namespace, project: Project | None) -> Server:
    url = given.server or os.environ.get("GUIDERAIL_URL", "") or (project.server if project else "")
    if not url:
        raise Problem(INVALID, "No server is named. Set GUIDERAIL_URL=https://guiderail.example.org")
    tries, timeout = _number("GUIDERAIL_TRIES", 5, 1, 20), _number("GUIDERAIL_TIMEOUT", 60, 1, 3600)
    token = os.environ.get("GUIDERAIL_TOKEN", "").strip()
    renew = None if token else ci_token(url, timeout=timeout, tries=tries, say=note)
    if renew is not None:
        Server(url, "not-yet", timeout=timeout, tries=tries)  # a wrong address is said before the CI is asked for an identity
        token = renew()
    return Server(url, token, timeout=timeout, tries=tries, say=note, renew=renew)


def _number(name: str, default: int, least: int, most: int) -> int:
    given = os.environ.get(name, "") or str(default)
    if not given.isascii() or not given.isdigit() or not least <= int(given) <= most:
        raise Problem(INVALID, f"{name} is a number from {least} to {most}.")
    return int(given)


def _project(given: argparse.Namespace, *, files: bool = True) -> Project:
    return read_project(given.file, files=files, version=given.release, environment=given.environment)


def _init(given: argparse.Namespace) -> int:
    path = Path(NAME)
    if path.exists() and not given.force:
        raise Problem(INVALID, f"{path} is there already. Overwrite it with: guiderail init --force")
    path.write_text(scaffold(Path(), SCHEMA_FILE), encoding="utf-8")
    # beside it, so that editors complete and check without asking anybody
    Path(SCHEMA_FILE).write_bytes(Path(__file__).with_name(SCHEMA_FILE).read_bytes())
    print(f"Wrote {path}. Look at it, then: guiderail preview")
    return OK


def _preview(given: argparse.Namespace) -> int:
    project = _project(given)
    if given.local:
        return _show(given, project, commands.preview_local(project, format=_rendered(given), say=note))
    told = commands.preview(project, _server(given, project), format=_rendered(given), say=note)
    return _show(given, project, told)


def _submit(given: argparse.Namespace) -> int:
    project = _project(given)
    server = _server(given, project)
    told = commands.submit(project, server, draft=given.draft, say=note)
    number = told.document["submission"]
    if given.wait and not given.draft:
        note(progress_line(told.document))
        commands.wait(server, number, until=given.until, timeout=given.timeout, told=_tell)
        told = commands.status(server, number, format=_rendered(given))
    elif _rendered(given) in commands.MEDIA:
        told = commands.status(server, number, format=_rendered(given))
    return _show(given, project, told)


def _wait(given: argparse.Namespace) -> int:
    project, server, number = _which(given)
    commands.wait(server, number, until=given.until, timeout=given.timeout, told=_tell)
    return _show(given, project, commands.status(server, number, format=_rendered(given)))


def _status(given: argparse.Namespace) -> int:
    project, server, number = _which(given)
    return _show(given, project, commands.status(server, number, format=_rendered(given)))


def _evidence(given: argparse.Namespace) -> int:
    server = _server(given, _project_if_there(given))
    for path in given.paths:
        if not path.is_file():
            raise Problem(INVALID, f"There is no file {path}.")
        print(f"sha256:{commands.stored(server, path, note)}  {path}")
    return OK


def _permit(given: argparse.Namespace) -> int:
    digest = f"sha256:{commands.sha256_of(given.artifact)}" if given.artifact else given.digest
    if digest:
        project, system, version = _project_if_there(given), "", ""
    elif given.system and given.release:
        project, system, version = _project_if_there(given), given.system, given.release
    else:
        project = _project(given, files=False)
        system, version = given.system or project.system, project.version
    environment = given.environment or (project.environment if project else "production")
    server = _server(given, project)
    about = {"system": system, "version": version, "digest": digest, "environment": environment}
    answer = commands.permit(server, exposure=given.exposure, **about)
    if given.attestation and answer["allowed"]:
        envelope = server.get(f"/api/v1/permits/{answer['permit']}/attestation").json()
        given.attestation.write_text(json.dumps(envelope, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(answer, ensure_ascii=False, indent=1) if given.format == "json" else permit_text(answer))
    _last(given.format == "text", answer.get("url"))
    return OK if answer["allowed"] else FAILED


def _verify(given: argparse.Namespace) -> int:
    if not given.artifact.is_file():
        raise Problem(INVALID, f"There is no file {given.artifact}.")
    digest = commands.sha256_of(given.artifact)
    ours = verify(given.attestation, given.keys, digest=digest, environment=given.environment, exposure=given.exposure)
    what = f"{clean(ours.get('system'))} {clean(ours.get('version'))} at {given.exposure} %"
    print(f"Allowed. {what} for {given.environment}, until {clean(ours['expiresAt'])}.")
    _last(True, ours.get("url"))
    return OK


def _explain(given: argparse.Namespace) -> int:
    server = _server(given, _project_if_there(given))
    gate = server.get(f"/api/v1/gates/{given.gate.upper()}").json()
    print(f"{gate['code']} {gate['title']}\n")
    for heading, words in gate["documentation"].items():
        print(f"{heading}\n\n{words}\n")
    print(server.url + gate["learn"])
    return OK


def _rendered(given: argparse.Namespace) -> str:
    """The format to ask the server for: GitHub's job summary is Markdown."""
    return "markdown" if given.format == "github" else str(given.format)


def _show(given: argparse.Namespace, project: Project | None, told: commands.Told) -> int:
    verdict, file = told.document, str(project.file if project else NAME)
    text = verdict_text(verdict, colour=coloured(sys.stdout))
    if given.format == "text":
        report = verdict_text(verdict)
    elif given.format == "json":
        report = json.dumps(verdict, ensure_ascii=False, indent=1)
    elif given.format == "github":
        report = annotation_lines(verdict, file)
        summary(told.rendered)
        outputs(verdict)
    elif given.format == "codequality":
        report = codequality(verdict, file)
    else:
        report = told.rendered
    if given.output:
        given.output.write_text(report + "\n", encoding="utf-8")
        print(text)
    else:
        print(text if given.format == "text" else report)
    _last(given.format in ("text", "github") or bool(given.output), verdict["url"])
    return told.code


def _last(plain: bool, url: Any) -> None:
    """The last line is the review's address: beside the report where a line in it would break the format."""
    if url:
        sys.stdout.flush()
        print(clean(url), file=sys.stdout if plain else sys.stderr, flush=True)


def _tell(verdict: dict[str, Any]) -> None:
    note(progress_line(verdict))


def _project_if_there(given: argparse.Namespace) -> Project | None:
    """For the server's address and the file's own name."""
    return _project(given, files=False) if given.file.exists() else None


def _which(given: argparse.Namespace) -> tuple[Project | None, Server, str]:
    """The file if there is one, the server, and the submission meant."""
    if given.submission:
        project = _project_if_there(given)
        return project, _server(given, project), given.submission
    project = _project(given, files=False)
    server = _server(given, project)
    return project, server, commands.newest(project, server)
