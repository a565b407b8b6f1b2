"""The commands and their arguments. What they do is imported when they run: help is quick."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from headgate.core.landing import ENCRYPTIONS
from headgate.core.results import JOBS

Answer = tuple[Any, int]  # what --json shows, and the exit code


@dataclass(frozen=True)
class Command:
    """One verb: where it is done, and which words it takes."""

    name: str
    help: str
    module: str  # below headgate.doors; has a function `run(arguments) -> Answer`
    function: str
    takes: tuple[str, ...] = ()

    def run(self, arguments: argparse.Namespace) -> Answer:
        found = getattr(import_module(f"headgate.doors.{self.module}"), self.function)
        return found(arguments)  # type: ignore[no-any-return]


_RUNNING = ("what", "window", "suite", "force", "rebuild", "parallel", "most", "waive", "lease")
COMMANDS: tuple[Command, ...] = (
    Command("run", "whatever is due, in the order of dependencies", "running", "run", _RUNNING),
    *(
        Command(job, f"the job that writes the layer {layer}", "running", "run", _RUNNING)
        for job, layer in JOBS.items()
    ),
    Command("plan", "what `run` would do, and why", "looking", "plan",
            ("what", "window", "suite", "force", "rebuild")),
    Command("status", "a line a table: state, lag, and the next command", "looking", "status",
            ("what", "suite")),
    Command("check", "the configuration, without Spark; with --source the live sources, too",
            "checking", "check", ("what", "source", "suite")),
    Command("test", "the examples of the table files", "checking", "test", ("what", "suite")),
    Command("doctor", "Java, versions, jars, storage; each with the fix", "doctor", "doctor",
            ("suite",)),
    Command("preview", "what would be written and rejected; writes nothing", "looking", "preview",
            ("table", "window", "suite", "rows")),
    Command("diff", "what this change of configuration does to rows: Markdown for a pull request",
            "diff", "diff", ("table", "window", "against", "suite")),
    Command("why", "the life of a row: its file, each step, each rule, where it went", "why", "why",
            ("table", "where", "window", "suite")),
    Command("rule", "what a rule would have done to past windows: try", "trying", "rule",
            ("trying", "table", "rule", "window", "severity", "suite")),
    Command("suggest", "rules that the published rows speak for, with the evidence", "suggesting",
            "suggest", ("table", "suite")),
    Command("profile", "what the columns of the published rows look like: one pass", "profiling",
            "profile", ("table", "window", "as_of", "suite")),
    Command("training-set", "labels with the features of their own time, from many tables",
            "training", "training", ("tables", "training", "suite")),
    Command("runs", "history", "looking", "runs", ("what", "suite", "rows")),
    Command("show", "one run whole", "looking", "show", ("run_id", "suite")),
    Command("quarantine", "rejected rows: list, show, export, replay, dismiss, expire",
            "quarantine",
            "quarantine", ("action", "what", "window", "settling", "suite", "rows")),
    Command("drift", "what is out of line with a table's past: list, dismiss", "drifting", "drift",
            ("drift", "suite", "rows")),
    Command("undo", "back to what a window held before its last publish", "running", "undo",
            ("table", "window", "suite", "lease")),
    Command("verify", "incremental equals full: tables made anew and compared", "verifying",
            "verify", ("what", "window", "sample", "suite")),
    Command("maintain", "small files made few, old versions removed; --dry-run says what it saves",
            "maintaining", "maintain", ("what", "dry_run", "suite", "lease")),
    Command("erase", "a person out of every layer: the plan; with --yes it is done, and proved",
            "erasing", "erase", ("table", "where", "erasing", "suite", "lease")),
    Command("subject", "what is held on a person, over all layers", "erasing", "subject",
            ("table", "where", "subject", "suite")),
    Command("watch", "stays up and runs what becomes due as files land", "watching", "watch",
            ("what", "watching", "suite")),
    Command("land", "local files into the raw zone, checked, resumable", "landing", "land",
            ("files", "landing", "suite")),
    Command("bundle", "what a cluster needs of a suite, as one zip: code, conf/, a manifest",
            "bundling", "bundle", ("bundling", "suite")),
    Command("report", "one HTML page, no network needed to open it", "reporting", "report",
            ("suite", "out", "data_docs")),
    Command("init", "a new small suite that runs; with --from, of your own samples", "starting",
            "init", ("folder", "from")),
    Command("infer", "a first table file from sample files, with the evidence", "inferring",
            "infer", ("samples", "to", "suite")),
    Command("demo", "two weeks of messy dumps through all four jobs", "demo", "demo",
            ("suite", "sizes")),
)  # fmt: skip


def parser_for(kind: type[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = kind(
        prog="headgate",
        description="Raw files to clean Delta tables, features and marts, with a gate between.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=kind)
    for command in COMMANDS:
        one = commands.add_parser(
            command.name, help=command.help, description=command.help, allow_abbrev=False
        )
        for word in command.takes:
            _WORDS[word](one)
        one.add_argument("--json", action="store_true", help="the last line of output is JSON")
    return parser


def _suite(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--conf", default="conf", metavar="DIR", help="the suite (default: conf)")
    parser.add_argument("--env", default="local", help="a file of conf/env (default: local)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides",
        help="override one key, such as lake=/tmp/lake",
    )  # fmt: skip


def _what(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", nargs="*", metavar="WHAT",
        help="tables, jobs or layers; +NAME with what it reads, NAME+ with what depends on it",
    )  # fmt: skip


def _window(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--window", metavar="W", help="one window, or a range with ..")


def _waive(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--waive", action="append", default=[], metavar="RULE", help="let this rule pass, on record"
    )
    parser.add_argument("--because", metavar="TEXT", help="why a rule is waived")


def _landing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--to", required=True, metavar="PREFIX", help="the folder below the raw zone"
    )
    parser.add_argument(
        "--replace", action="store_true", help="also where other content is there already"
    )
    parser.add_argument(
        "--follow", action="store_true", help="stay up and land what appears in the folders"
    )
    parser.add_argument(
        "--settle", type=float, metavar="SECONDS",
        help="with --follow: how long a file must not have grown (default: 5)",
    )  # fmt: skip
    parser.add_argument("--encrypt", choices=ENCRYPTIONS, help="how S3 is to encrypt what lands")
    parser.add_argument("--kms-key", metavar="ID", help="the key for --encrypt aws:kms")


def _from(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from", nargs="+", metavar="FILES", dest="samples", default=[],
        help="sample files: tables, rules and marts are guessed, run, and reported",
    )  # fmt: skip
    parser.add_argument("--no-run", action="store_true", help="with --from: only write the suite")


def _watching(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--every", type=float, default=10.0, metavar="SECONDS",
        help="how often to look for files (default: 10)",
    )  # fmt: skip
    parser.add_argument(
        "--settle", type=float, default=5.0, metavar="SECONDS",
        help="how long a file must not have changed (default: 5)",
    )  # fmt: skip


def _bundling(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", metavar="FILE", help="where to write it (default: build/SUITE.zip)")
    parser.add_argument(
        "--jars", action="store_true", help="with Delta's jars, for a platform that has none"
    )
    parser.add_argument(
        "--dependencies", action="store_true",
        help="also pack this Python environment, beside it: needs venv-pack",
    )  # fmt: skip


def _drift(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["list", "dismiss"])
    _what(parser)
    _window(parser)
    parser.add_argument("--metric", metavar="M", help="only this metric, and what moved with it")
    parser.add_argument("--column", metavar="C", help="only what is about this column")
    parser.add_argument("--because", metavar="TEXT", help="why it was a false alarm")


def _erasing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do it; without, the plan is shown")
    parser.add_argument(
        "--raw", choices=["rewrite", "keep"], default="rewrite",
        help="raw files: write them without the records (default), or leave them as they are",
    )  # fmt: skip


def _settling(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--to", metavar="PATH", help="export: a new .csv or .jsonl file, or a Delta table"
    )
    parser.add_argument("--state", metavar="S", help="export: rows of this state (default: open)")
    parser.add_argument(
        "--for-supplier", action="store_true", help="export: a letter with the supplier's records"
    )
    parser.add_argument(
        "--from", metavar="PATH", dest="repaired",
        help="replay: the repaired rows, .csv, .jsonl, .parquet or a Delta table (default: the "
        "rejected rows as they are)",
    )  # fmt: skip
    parser.add_argument(
        "--reason", metavar="TEXT",
        help="dismiss, replay: rows rejected for this, or what begins so",
    )  # fmt: skip
    parser.add_argument("--because", metavar="TEXT", help="dismiss, expire: why")
    parser.add_argument("--before", metavar="DATE", help="expire: windows before this day")


def _training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--labels", required=True, metavar="LABELS",
        help="a table, or a .csv, .jsonl or .parquet file, with entity, time and label",
    )  # fmt: skip
    parser.add_argument(
        "--time", default="time", metavar="C", help="the labels' own time (default: time)"
    )
    parser.add_argument(
        "--within", action="append", default=[], metavar="STRETCH",
        help="how old features may be, as '7 days', or for one table 'features.a=7 days'",
    )  # fmt: skip
    parser.add_argument("--to", metavar="PATH", help="write it as Parquet files")
    parser.add_argument(
        "--leakage", action="store_true",
        help="which features would have differed with what was known at the time",
    )  # fmt: skip


_WORDS: dict[str, Callable[[argparse.ArgumentParser], object]] = {
    "suite": _suite,
    "what": _what,
    "window": _window,
    "waive": _waive,
    "files": lambda p: p.add_argument(
        "files", nargs="+", metavar="FILES", help="files; of a folder, all that is in it"
    ),
    "landing": _landing,
    "table": lambda p: p.add_argument("table", metavar="TABLE"),
    "tables": lambda p: p.add_argument("tables", nargs="+", metavar="TABLE"),
    "training": _training,
    "force": lambda p: p.add_argument(
        "--force", action="store_true", help="also what is unchanged"
    ),
    "rebuild": lambda p: p.add_argument(
        "--rebuild",
        action="store_true",
        help="also what was published under other rules, steps or contracts",
    ),
    "parallel": lambda p: p.add_argument(
        "--parallel",
        type=int,
        metavar="N",
        help="how many tables may run at once (default: as the environment says)",
    ),
    "most": lambda p: p.add_argument(
        "--max-windows",
        type=int,
        metavar="N",
        help="run at most N windows of each table, the oldest first; the rest stays due",
    ),
    "lease": lambda p: p.add_argument(
        "--break-lease", action="store_true", help="take a table from a run that is dead"
    ),
    "dry_run": lambda p: p.add_argument(
        "--dry-run", action="store_true", help="only say what would be done"
    ),
    "rows": lambda p: p.add_argument("--rows", type=int, default=20, help="how many rows to show"),
    "run_id": lambda p: p.add_argument("run_id", metavar="RUN", help="a run, or how it begins"),
    "action": lambda p: p.add_argument(
        "action", choices=["list", "show", "export", "replay", "dismiss", "expire"]
    ),
    "settling": _settling,
    "bundling": _bundling,
    "erasing": _erasing,
    "subject": lambda p: p.add_argument(
        "--to", metavar="PATH", help="a new .json file, or a folder for a CSV file each place"
    ),
    "trying": lambda p: p.add_argument("action", choices=["try"]),
    "rule": lambda p: p.add_argument(
        "rule", metavar="RULE", help="as under `quality:` on one line, or a SQL condition"
    ),
    "severity": lambda p: p.add_argument(
        "--severity", metavar="S", help="critical (the default), warning or info"
    ),
    "drift": _drift,
    "watching": _watching,
    "against": lambda p: p.add_argument(
        "--against", default="HEAD", metavar="GITREF", help="a git revision (default: HEAD)"
    ),
    "as_of": lambda p: p.add_argument(
        "--as-of", metavar="W", help="as it was published by the end of this window"
    ),
    "where": lambda p: p.add_argument(
        "--where", metavar="CONDITION", required=True, help="which rows, as a SQL condition"
    ),
    "sample": lambda p: p.add_argument(
        "--sample", metavar="SHARE", help="only a share of the windows or keys, such as 10%%"
    ),
    "source": lambda p: p.add_argument(
        "--source",
        action="store_true",
        help="hold contracts against the live database, or the newest file",
    ),
    "out": lambda p: p.add_argument("--out", metavar="FILE", help="where to write the page"),
    "data_docs": lambda p: p.add_argument(
        "--data-docs",
        nargs="?",
        const="",
        metavar="DIR",
        help="great-expectations' Data Docs, too (default: data-docs/ beside the page)",
    ),
    "samples": lambda p: p.add_argument(
        "files", nargs="+", metavar="FILES", help="samples of one table; of a folder, all in it"
    ),
    "to": lambda p: p.add_argument(
        "--to", metavar="FILE", help="where to write it, such as conf/ingested/ (default: shown)"
    ),
    "from": _from,
    "folder": lambda p: p.add_argument("folder", metavar="DIR"),
    "sizes": lambda p: [
        p.add_argument("--rows", type=int, default=20_000, help="order lines in all"),
        p.add_argument("--days", type=int, default=14),
        p.add_argument("--seed", type=int, default=7),
    ],
}
