"""Logs are data, and quiet where a person looks."""

from __future__ import annotations

import json
import sys

import pytest

from headgate.storage.logs import log


def test_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    log("published", run="7f", table="clean.orders", window="2026-11-20", rows=985, version=None)
    log("ü\n", level="warning")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "info",
        "event": "published",
        "run": "7f",
        "table": "clean.orders",
        "window": "2026-11-20",
        "rows": 985,
    }
    assert second["event"] == "ü\n"


def test_long_texts_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    log("failed", message="x" * 10_000)
    assert len(json.loads(capsys.readouterr().err)["message"]) == 1_000


@pytest.mark.parametrize(
    ("asked", "terminal", "levels"),
    [
        ("", False, ["info", "warning", "error"]),
        ("", True, []),
        ("nonsense", True, []),
        ("debug", True, ["debug", "info", "warning", "error"]),
        ("WARN", False, ["warning", "error"]),
        ("off", False, []),
    ],
)
def test_levels(
    asked: str,
    terminal: bool,
    levels: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEADGATE_LOG", asked)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    log("x", level="debug")
    log("x")
    log("x", level="warning")
    log("x", level="error")
    assert [json.loads(line)["level"] for line in capsys.readouterr().err.splitlines()] == levels


def test_nobody_listening_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def isatty(self) -> bool:
            return False

        def write(self, _: str) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    log("x")
    monkeypatch.setattr(sys, "stderr", None)
    log("x")
