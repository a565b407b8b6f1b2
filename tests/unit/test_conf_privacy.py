"""How protection is written, what cannot be protected so, and keys that are missing or wrong."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from headgate.conf.reading import read_suite, suite_from
from headgate.core.errors import Misconfigured
from headgate.core.privacy import Privacy
from headgate.core.spec import Suite
from headgate.doors.cli import main
from headgate.storage.keys import lacking
from unit.conf_files import laid_out

PEOPLE: dict[str, Any] = {
    "source": {"files": "people/{window}.csv"},
    "columns": {
        "id": {"type": "bigint", "privacy": {"tokenize": {"key": "ads"}}},
        "name": {"type": "string", "privacy": "mask"},
        "born": {"type": "date", "privacy": {"generalize": {"to": "year"}}},
    },
}
FAULTS = {
    "{type: string, privacy: tokenis}": (
        ": must be one of drop, mask, hash, tokenise, encrypt, not 'tokenis'"
        " (did you mean 'tokenise'?)"
    ),
    "{type: string, privacy: {hash: {}, mask: {}}}": ": takes one kind of protection",
    "{type: string, privacy: {mask: {keep_last: 0}}}": (
        ".mask.keep_last: must be a whole number from 1, not '0'"
    ),
    "{type: string, privacy: {mask: {keep: domain, keep_last: 2}}}": (
        ".mask: keeps the domain, or first and last letters: not both"
    ),
    "{type: string, privacy: {generalise: {band: 5, prefix: 2}}}": (
        ".generalise: takes one of 'band', 'prefix' and 'to'"
    ),
    "{type: string, privacy: {grid: 0.1}}": ": 'grid' takes numbers, not string",
    "{type: int, privacy: {generalise: {to: month}}}": (
        ": 'to: month' takes dates and times, not int"
    ),
    "{type: int, privacy: {encrypt: {per: nobody}}}": ": unknown column 'nobody' (known: it)",
    "{type: binary, privacy: hash}": ": binary can only be dropped: write it as text first",
}


def suite(**more: Any) -> Suite:
    tables = {"ingested.people": PEOPLE, **more}
    return suite_from(tables, raw="raw", lake="lake")


def test_it_is_read_in_both_spellings_and_kept_with_the_column() -> None:
    (table,) = suite().tables.values()
    assert table.protection == {
        "id": Privacy(kind="tokenise", key="ads"),
        "name": Privacy(kind="mask"),
        "born": Privacy(kind="generalise", to="year"),
    }


@pytest.mark.parametrize("written", FAULTS)
def test_what_cannot_be_protected_so(written: str, tmp_path: Path) -> None:
    text = "source: {files: 'x/{window}.csv'}\ncolumns:\n  it: " + written + "\n"
    conf = laid_out(tmp_path, {"ingested/extra.yaml": text})
    with pytest.raises(Misconfigured) as refused:
        read_suite(conf)
    (fault,) = refused.value.faults
    assert (
        str(fault) == f"{conf.as_posix()}/ingested/extra.yaml:3 columns.it.privacy{FAULTS[written]}"
    )


def test_only_tokens_and_hashes_tell_rows_apart() -> None:
    steps = [{"rename": {"name": "who"}}, {"derive": {"same": "who"}}]
    lost = "is masked: rows cannot be told apart by it; tokens and hashes can be keys"
    read = {"reads": "ingested.people", "steps": steps}
    found: list[tuple[dict[str, Any], list[str]]] = [
        ({**read, "key": ["id"]}, []),
        ({**read, "key": ["id", "same"]}, [f"key[1]: 'same' {lost}"]),
        ({**read, "key": "who"}, [f"key: 'who' {lost}"]),
        (
            {**read, "key": "id", "privacy": {"id": "encrypt", "whom": "hash"}},
            ["key: 'id' is encrypted" + lost[len("is masked") :],
             "privacy.whom: unknown column 'whom' (did you mean 'who'?)"],
        ),
    ]  # fmt: skip
    for keys, wanted in found:
        faults: list[str] = []
        try:
            suite(**{"clean.people": keys})
        except Misconfigured as refused:
            faults = [str(one).split("clean.people.")[-1] for one in refused.faults]
        assert faults == wanted


def test_a_window_is_told_by_nothing_personal() -> None:
    named = {**PEOPLE, "source": {"files": "people/*.csv"}, "window_by": "born"}
    with pytest.raises(Misconfigured, match="holds personal data, and windows are shown"):
        suite_from({"ingested.people": named}, raw="raw", lake="lake")


def test_a_key_that_is_missing_or_wrong_is_told_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = base64.urlsafe_b64encode(bytes(range(200, 232))).decode()
    said = {
        "": "the privacy key 'ads' is missing",
        "abc!": "HEADGATE_KEY_ADS: the privacy key 'ads' is neither hex nor base64",
        "ab" * 20: "HEADGATE_KEY_ADS: the privacy key 'ads' is too short: 20 bytes, and 32 are the"
        " least",
        f"{good} {'cd' * 32}": "",
    }
    for text, wanted in said.items():
        monkeypatch.setenv("HEADGATE_KEY_ADS", text)
        assert [error.sentence.partition(" Next")[0] for error in lacking(suite())] == (
            [wanted] if wanted else []
        )
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "ads").write_text(good + "\n")
    kept = suite_from({"ingested.people": PEOPLE}, raw="raw", lake="lake", root=tmp_path,
                      keys="file:keys")  # fmt: skip
    (error,) = lacking(kept)
    assert error.where.endswith("keys/main")
    monkeypatch.setenv("HEADGATE_SECRET_ALL_MAIN", "ef" * 32)
    stored = kept.model_copy(update={"keys": "secret:all"})
    assert [one.what for one in lacking(stored)] == ["there is no secret 'all/ads'"]


def test_commands_say_that_a_key_is_missing_before_spark_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    people = "source: {files: 'x/{window}.csv'}\ncolumns:\n  it: {type: string, privacy: mask}\n"
    laid_out(tmp_path, {"ingested/people.yaml": people})
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEADGATE_KEY_MAIN")
    monkeypatch.setattr("headgate.storage.suite_session.session_for", None)  # Spark is not started
    assert main(["run", "ingested.people"]) == 2
    assert main(["check"]) == 0
    assert capsys.readouterr().out.count("the privacy key 'main' is missing") == 1
    assert main(["doctor"]) == 2
    assert "fail  keys" in capsys.readouterr().out
