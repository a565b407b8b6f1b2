"""What went wrong, in words that hold nothing of the data."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest

from headgate.core.errors import (
    HeadgateError,
    Infrastructure,
    InputMissing,
    Interrupted,
    StepFailed,
    Unreadable,
    Usage,
)
from headgate.storage.causes import Cause, parsed
from headgate.storage.faults import broken_off, classify, of_chain

SPARK = "org.apache.spark.SparkException"
ABORTED = "Job aborted due to stage failure: Task 0 in stage 1.0 failed 4 times, most recent: "
WRITE = Cause(SPARK, "TASK_WRITE_FAILED", "58030", {"path": "file:/lake/x"}, "Task failed")
SECRET = "Erika Mustermann"

WORKER = f"""
  An exception was thrown from the Python worker. Please see the stack trace below.
Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/pyspark/worker.py", line 12, in main
    process()
  File "/suite/lib/shop/steps.py", line 9, in known
    raise ValueError("nobody is called {SECRET}")
           ^^^^^^^^^^^
  File "/venv/lib/python3.11/site-packages/pandas/core.py", line 99, in get
    raise KeyError(
KeyError: "{SECRET}
{SECRET}: more"
"""


def value(condition: str, state: str = "22000", expression: str = "", **said: str) -> Cause:
    text = f"[{condition}] The value '{SECRET}' is not right"
    return Cause("org.apache.spark.SparkRuntimeException", condition, state, said, text, expression)


@pytest.mark.parametrize("outer", [(), (WRITE,), (Cause(SPARK, text=ABORTED + SECRET), WRITE)])
def test_value_that_does_not_fit_names_types_and_expression(outer: tuple[Cause, ...]) -> None:
    inner = value(
        "CAST_INVALID_INPUT", "22018", "cast(price as int)",
        sourceType='"STRING"', targetType='"INT"',
    )  # fmt: skip
    found = of_chain((*outer, inner))
    assert type(found) is StepFailed
    assert found.what == (
        "a value cannot be cast from STRING to INT in 'cast(price as int)' [CAST_INVALID_INPUT]"
    )
    assert found.next == "use try_cast"


@pytest.mark.parametrize(
    ("cause", "kind", "said"),
    [
        (value("DIVIDE_BY_ZERO", "22012", "a / b"), StepFailed, "division by zero in 'a / b'"),
        (value("CAST_INVALID_INPUT"), StepFailed, "a value cannot be cast ["),
        (value("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"), StepFailed, "does not fit decimal ["),
        (value("SOME_NEWER_CONDITION", "22P99"), StepFailed, "a value does not fit [SOME_NEWER"),
        (value("USER_RAISED_EXCEPTION", "P0001"), StepFailed, "raise_error or assert_true"),
        (
            value("DELTA_VIOLATE_CONSTRAINT_WITH_VALUES", "23001", constraintName="positive"),
            StepFailed,
            "constraint positive",
        ),
        (
            Cause("io.delta.exceptions.ConcurrentAppendException", text=SECRET),
            Infrastructure,
            "somebody else changed the table",
        ),
        (Cause("java.io.IOException", text="No space left on device"), Infrastructure, "is full"),
        (
            Cause("org.apache.hadoop.security.AccessControlException", text=SECRET),
            Infrastructure,
            "no permission",
        ),
        (Cause("java.lang.OutOfMemoryError", text="Java heap"), Infrastructure, "out of memory"),
        (
            Cause(SPARK, text=ABORTED + "ExecutorLostFailure (executor 1 exited)"),
            Infrastructure,
            "lost its workers",
        ),
        (Cause("java.net.ConnectException", text="refused"), Infrastructure, "did not answer"),
        (
            Cause("java.io.IOException", text="Python worker exited unexpectedly (crashed)"),
            Infrastructure,
            "a Python worker died",
        ),
        (Cause(SPARK, text="Job 7 cancelled "), Interrupted, "cancelled"),
        (
            Cause("x.AnalysisException", "PATH_NOT_FOUND", "42K03", {"path": "file:/raw/a"}),
            InputMissing,
            "file:/raw/a: there is nothing",
        ),
        (
            Cause("java.lang.IllegalStateException", text=SECRET),
            StepFailed,
            "IllegalStateException",
        ),
    ],
)
def test_kinds_of_faults(cause: Cause, kind: type[HeadgateError], said: str) -> None:
    found = of_chain((Cause(SPARK, text=ABORTED + SECRET), cause))
    assert type(found) is kind
    assert said in found.sentence
    assert SECRET not in found.sentence
    assert found.next


def test_misspelt_names_are_answered_with_the_likely_ones() -> None:
    column = Cause(
        "x.AnalysisException", "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703",
        {"objectName": "`quantitty`", "proposal": "`line`, `quantity`"}, "", "quantitty * 2",
    )  # fmt: skip
    found = of_chain((column,))
    assert type(found) is Usage
    assert found.what == "unknown column 'quantitty' in 'quantitty * 2'"
    assert found.next == "did you mean 'quantity'?"
    routine = Cause("x.AnalysisException", "UNRESOLVED_ROUTINE", "42883", {"routineName": "`uper`"})
    assert of_chain((routine,)).sentence == "unknown function 'uper' Next: did you mean 'upper'?"


def test_message_of_the_analyser_without_the_values_of_a_list() -> None:
    text = (
        f'[DATATYPE_MISMATCH.X] Cannot resolve "(name IN ({SECRET}))" due to types.'
        " SQLSTATE: 42K09;\n'Project [name]"
    )
    cause = Cause(
        "x.ExtendedAnalysisException", "DATATYPE_MISMATCH.X", "42K09",
        {"sqlExpr": f'"(name IN ({SECRET}))"'}, text, "isin",
    )  # fmt: skip
    said = of_chain((cause,)).sentence
    assert said == '[DATATYPE_MISMATCH.X] Cannot resolve "an expression" due to types.'


def test_damaged_file_is_named() -> None:
    chain = (
        Cause(SPARK, text=ABORTED),
        Cause(SPARK, "FAILED_READ_FILE.NO_HINT", "KD001", {"path": "file:/raw/a.csv.gz"}),
        Cause("java.util.zip.ZipException", text=SECRET),
    )
    found = of_chain(chain)
    assert type(found) is Unreadable
    assert found.sentence.startswith("file:/raw/a.csv.gz: the file cannot be read")
    gone = Cause("java.io.FileNotFoundException", text="File file:/raw/a.csv.gz does not exist")
    assert type(of_chain((*chain[:2], gone))) is Infrastructure


def test_full_disk_while_a_file_is_read_is_no_damage() -> None:
    reading = Cause(SPARK, "FAILED_READ_FILE.NO_HINT", "KD001", {"path": "file:/raw/a.csv"})
    full = Cause("java.io.IOException", text="No space left on device")
    assert of_chain((reading, full)).what == "the disk is full"


def test_exception_of_a_python_step_by_kind_and_place_only() -> None:
    like_pysparks = type("PythonException", (Exception,), {})
    for found in (
        classify(like_pysparks(WORKER)),
        of_chain((Cause("org.apache.spark.api.python.PythonException", text=WORKER),)),
    ):
        assert type(found) is StepFailed
        assert found.where == "/suite/lib/shop/steps.py:9"
        assert found.what == "KeyError was raised"
        assert SECRET not in found.sentence


def test_missing_module_is_named() -> None:
    lines = WORKER.replace(f'KeyError: "{SECRET}', "ModuleNotFoundError: No module named 'shop'")
    found = of_chain((Cause("org.apache.spark.api.python.PythonException", text=lines),))
    assert "no module named 'shop'" in found.what


def test_text_without_a_traceback_is_none() -> None:
    assert parsed(SECRET) is None
    assert parsed("") is None


def test_users_python_on_the_driver() -> None:
    def step(row: dict[str, int]) -> int:
        return row[SECRET]

    with pytest.raises(KeyError) as caught:
        step({})
    found = classify(caught.value)
    assert type(found) is StepFailed
    assert found.where.startswith(f"{__file__}:")
    assert found.what == "KeyError was raised"
    with pytest.raises(NameError) as named:
        nothing_called_so  # type: ignore[name-defined]  # noqa: B018, F821
    assert "name 'nothing_called_so' is not defined" in classify(named.value).what


def gateway_error(name: str) -> type[Exception]:
    return type(name, (Exception,), {"__module__": "py4j.protocol"})


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (KeyboardInterrupt(), Interrupted),
        (MemoryError(), Infrastructure),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), Infrastructure),
        (gateway_error("Py4JNetworkError")("Answer from Java side is empty"), Infrastructure),
        (gateway_error("Py4JError")("x.y does not exist in the JVM"), StepFailed),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/lake/a"), Infrastructure),
        (Usage("as it is"), Usage),
        (RuntimeError(SECRET), StepFailed),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_pythons_own_errors(error: Any, kind: type[HeadgateError]) -> None:
    found = classify(error)
    assert type(found) is kind
    assert SECRET not in found.sentence


def untidy() -> None:
    try:
        raise KeyboardInterrupt
    finally:
        raise OSError("the gateway is gone")


def test_an_interrupt_is_told_also_where_tidying_up_failed_after_it() -> None:
    with pytest.raises(OSError, match="gone") as caught:
        untidy()
    assert (broken_off(caught.value), classify(caught.value).exit_code) == (True, 130)
    assert not broken_off(OSError("the gateway is gone"))
