"""`headgate doctor`: whether a run can work here, and what to type where it cannot. No Spark."""

from __future__ import annotations

import argparse
import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from headgate.conf import read_suite
from headgate.core.addresses import NAMES
from headgate.core.errors import HeadgateError, Infrastructure, Misconfigured, Usage, worst
from headgate.core.privacy import keys_for
from headgate.core.spec import Ingested, Suite
from headgate.doors import places
from headgate.doors.findings import Finding, failed, fine, warned
from headgate.doors.words import Answer
from headgate.storage import couriers, jars, java, keys, machine, pairs, sparkconf
from headgate.storage.drivers import driver_jar
from headgate.storage.reaching import address_of

GIB = 1 << 30
NEWEST_PYTHON = {"3": (3, 11), "4": (3, 13)}  # by major of Spark: what it was tested with


@dataclass(frozen=True)
class Patient:
    """What is looked at: the suite and the versions, as far as they can be told."""

    suite: Suite | None
    pair: tuple[str, str] | None

    @property
    def settings(self) -> dict[str, str]:
        """Spark's settings as a run would take them, without our own."""
        own = self.suite.environment.spark.conf if self.suite else {}
        return {**sparkconf.platform_settings(), **own}

    @property
    def master(self) -> str:
        named = self.suite.environment.spark.master if self.suite else None
        own = self.suite.environment.spark.conf if self.suite else {}
        return own.get("spark.master") or named or self.settings.get("spark.master") or "local[*]"


def doctor(arguments: argparse.Namespace) -> Answer:
    """Look at everything; the worst that was found is the exit code."""
    found = examined(arguments)
    code = worst([one.code for one in found])
    if not arguments.json:
        _say(found)
    shown = {
        "exit_code": code,
        "errors": [one.sentence for one in found if one.state == "fail"],
        "checks": [asdict(one) for one in found],
    }
    return shown, code


def examined(arguments: argparse.Namespace) -> list[Finding]:
    """All findings, in the order in which a person would mend them."""
    suite, about_suite = _suite(arguments)
    pair, about_pair = _pair()
    patient = Patient(suite, pair)
    parts: list[Callable[[Patient], Iterator[Finding]]] = [_python, _java, _jars]
    found = [finding for part in parts for finding in _kept(part, patient)]
    found += [about_pair, about_suite]
    for part in (_drivers, _workers, _cluster, _capacity, _keys, _alerts):
        found += _kept(part, patient)
    if suite is not None:
        found += places.examined(suite)
    order = ("python", "java", "spark", "jars", "suite")
    return sorted(found, key=lambda one: (*order, one.check).index(one.check))


def _kept(part: Callable[[Patient], Iterator[Finding]], patient: Patient) -> list[Finding]:
    """One part must not keep the others from being looked at."""
    try:
        return list(part(patient))
    except HeadgateError as error:
        return [failed(part.__name__.strip("_"), error)]


def _say(found: list[Finding]) -> None:
    wide = max(len(one.check) for one in found)
    for one in found:
        print(f"{one.state:<4}  {one.check:<{wide}}  {one.said}")
        if one.next:
            print(f"{'':<{wide + 6}}  Next: {one.next}")
    bad = sum(one.state == "fail" for one in found)
    doubtful = sum(one.state == "warn" for one in found)
    print(f"\n{len(found)} checks, {bad} failed, {doubtful} to look at")


def _suite(arguments: argparse.Namespace) -> tuple[Suite | None, Finding]:
    if arguments.conf == "conf" and not Path("conf").exists():
        said = "there is no conf folder here: only the machine is looked at"
        return None, warned("suite", said, "headgate init DIR, or --conf DIR")
    try:
        suite = read_suite(arguments.conf, env=arguments.env, overrides=arguments.overrides)
    except Misconfigured as error:
        more = f" (and {len(error.faults) - 1} more)" if len(error.faults) > 1 else ""
        said = f"{error.faults[0]}{more}" if error.faults else error.what
        return None, failed("suite", Usage(said, next="headgate check"))
    except HeadgateError as error:
        return None, failed("suite", error)
    count = len(suite.tables)
    tables = f"{count} table{'' if count == 1 else 's'}"
    return suite, fine("suite", f"{suite.name}: {tables}, environment {suite.environment.name}")


def _pair() -> tuple[tuple[str, str] | None, Finding]:
    try:
        spark, delta = jars.installed_pair()
    except HeadgateError as error:
        return None, failed("spark", Usage(error.what, next=error.next))
    if sentence := pairs.verdict(spark, delta):
        what, colon, install = sentence.rpartition(": ")
        return (spark, delta), failed("spark", Usage(what if colon else sentence, next=install))
    home = os.environ.get("SPARK_HOME")
    return (spark, delta), fine(
        "spark", f"Spark {spark} with Delta {delta}{f', of SPARK_HOME {home}' if home else ''}"
    )


def _python(patient: Patient) -> Iterator[Finding]:
    here = sys.version_info[:2]
    said = f"Python {'.'.join(map(str, sys.version_info[:3]))} ({sys.executable})"
    newest = NEWEST_PYTHON.get((patient.pair or ("4",))[0][:1], here)
    if here > newest:
        wanted = ".".join(map(str, newest))
        said += f"; this line of Spark is tested up to {wanted}"
        yield warned("python", said, f"PYTHON=python{wanted} make install")
    else:
        yield fine("python", said)


def _java(patient: Patient) -> Iterator[Finding]:
    spark = patient.pair[0] if patient.pair else pairs.DEFAULT.spark
    if fault := java.verdict(spark):
        yield failed("java", Usage(fault[0], next=fault[1]))
    elif found := java.found():
        yield fine("java", f"Java {found.version} ({found.path})")


def _jars(patient: Patient) -> Iterator[Finding]:
    if patient.pair is None or pairs.verdict(*patient.pair):
        return  # which jars are wanted is not known
    if sparkconf.names_delta(patient.settings):
        yield fine("jars", "Spark's settings bring Delta's jars")
        return
    found = jars.delta_jars(*patient.pair, fetch=False)
    if not found:
        yield fine("jars", "Delta is on Spark's own class path")
        return
    if broken := [jar for jar in found if not zipfile.is_zipfile(jar)]:
        fix = f"rm {broken[0]}, then headgate doctor"
        raise Infrastructure("this jar is damaged", where=str(broken[0]), next=fix)
    yield fine("jars", f"{' and '.join(jar.name for jar in found)} in {found[0].parent}")


def _drivers(patient: Patient) -> Iterator[Finding]:
    """The drivers of the databases that the suite reads; a run fetches what is missing."""
    tables = patient.suite.tables.values() if patient.suite else ()
    every = [one for one in tables if isinstance(one, Ingested) and one.database]
    kinds = {}
    for table in every:
        assert table.database is not None
        try:
            kinds[address_of(table.database, table.name).kind] = table.name
        except HeadgateError as error:  # a secret that is not there
            yield failed("drivers", error)
    for kind in sorted(kinds):
        try:
            yield fine("drivers", f"{NAMES[kind]}: {driver_jar(kind, fetch=False)}")
        except Infrastructure as error:
            yield warned("drivers", error.what, error.next)


def _workers(patient: Patient) -> Iterator[Finding]:
    """Workers in another Python than the driver's fail at their first row."""
    named = patient.settings.get("spark.pyspark.python") or os.environ.get("PYSPARK_PYTHON")
    if named is None:
        ours = patient.master.startswith(("local", "spark://"))
        if not ours:
            yield warned(
                "workers",
                "PYSPARK_PYTHON is not set: workers take the first python3 on their PATH",
                "set it, or spark.pyspark.python, to the same Python on every machine",
            )
        return
    if not patient.master.startswith("local") or Path(named) == Path(sys.executable):
        yield fine("workers", f"workers run {named}")
        return
    found = machine.python_of(named)
    if found is None:
        what = f"PYSPARK_PYTHON is {named}, which is no Python that starts"
    elif found != sys.version_info[:2]:
        what = f"PYSPARK_PYTHON is Python {found[0]}.{found[1]}, another than the driver's"
    else:
        yield fine("workers", f"workers run {named}")
        return
    yield failed(
        "workers", Usage(what, next=f"unset it, or export PYSPARK_PYTHON={sys.executable}")
    )


def _cluster(patient: Patient) -> Iterator[Finding]:
    kind, _, addresses = patient.master.partition("://")
    if kind != "spark":
        return
    if any(machine.answers(address) for address in addresses.split(",")):
        yield fine("cluster", f"{patient.master} answers")
    else:
        raise Infrastructure(
            f"{patient.master} does not answer", next="start the cluster, or name another master"
        )


def _capacity(patient: Patient) -> Iterator[Finding]:
    """Whether the driver gets the memory and the cores that it will ask for."""
    memory, cores = machine.memory(), machine.cores()
    local = patient.master.startswith("local")
    wanted = patient.settings.get("spark.driver.memory")
    heap = machine.in_bytes(wanted) if wanted else sparkconf.heap() if local else GIB
    if heap is None:
        raise Usage(f"spark.driver.memory is '{wanted}', which is no size", next="write it as 4g")
    of = f" of {memory / GIB:.1f} GiB" if memory else ""
    said = f"{cores} core{'' if cores == 1 else 's'}; the driver takes {heap / GIB:.1f} GiB{of}"
    if memory and heap > memory:
        raise Infrastructure(said, next="set spark.driver.memory lower, in conf/env")
    if memory and heap > 0.8 * memory:
        yield warned("capacity", said, "set spark.driver.memory lower, in conf/env")
    else:
        yield fine("capacity", said)


def _keys(patient: Patient) -> Iterator[Finding]:
    """Whether personal data can be protected."""
    suite = patient.suite
    tables = suite.tables.values() if suite else ()
    needed = sorted({key for one in tables for key in keys_for(one.protection)})
    if suite is None or not needed:
        return
    wrong = keys.lacking(suite)
    yield from (failed("keys", error) for error in wrong)
    if not wrong:
        yield fine("keys", f"{', '.join(needed)} from {suite.keys.partition(':')[0]}")


def _alerts(patient: Patient) -> Iterator[Finding]:
    """Whether alerts can get through: a route that lacks something fails no run, it is silent."""
    routes = patient.suite.alerts if patient.suite else ()
    lacking = [(place, couriers.lacking(route)) for place, route in enumerate(routes)]
    for place, error in lacking:
        if error is not None:
            said = f"alerts[{place}], {routes[place].kind}: {error.what}"
            yield warned("alerts", said, error.next)
    if routes and not any(error for _, error in lacking):
        kinds = ", ".join(dict.fromkeys(route.kind for route in routes))
        yield fine("alerts", f"{len(routes)} route{'' if len(routes) == 1 else 's'}: {kinds}")
