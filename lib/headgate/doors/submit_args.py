"""What `spark-submit.sh` starts: the whole spark-submit command, from the suite's environment.

Written as NUL-separated arguments into a file, or shown (`--dry-run`). A secret is never an
argument, since anybody on the machine can read those: it goes through a private file.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from headgate.conf import read_suite
from headgate.core.errors import HeadgateError, Infrastructure, Misconfigured, Usage
from headgate.core.results import JOBS
from headgate.core.spec import Suite
from headgate.storage import jars, pairs, s3a, sparkconf
from headgate.storage.bundle import conf_files
from headgate.storage.code_zips import code_zips, zip_of

SCRIPTS: Final = {job: f"{job.replace('-', '_')}.py" for job in (*JOBS, "run")}
HELP: Final = f"""\
usage: ./spark-submit.sh JOB [--dry-run] [--env ENV] [--conf DIR] [arguments of the job ...]

JOB is one of {", ".join(SCRIPTS)}. Spark's settings come from DIR/env/ENV.yaml.
--dry-run shows the command and starts nothing.
"""
UNPACKED: Final = "headgate-suite"  # the folder of conf/, below a driver that runs elsewhere
_SECRET_NAME: Final = re.compile(r"password|secret|token|key", re.IGNORECASE)
_SECRET_VALUE: Final = re.compile(
    r"(password|secret|token|key)[\w.-]*=|://[^/@\s]*:[^@]*@", re.IGNORECASE
)
# Those of the driver's JVM have to be there before it starts; the job sets all others itself.
_BEFORE_THE_JVM: Final = ("spark.driver.memory",)


@dataclass(frozen=True)
class Asked:
    """The arguments of `spark-submit.sh`, understood."""

    job: str
    env: str = "local"
    conf: str = "conf"
    dry_run: bool = False
    given: tuple[str, ...] = ()  # --env and --conf, as far as they were given
    rest: tuple[str, ...] = ()

    @property
    def overrides(self) -> list[str]:
        """What the job's own `--set` says, which may concern Spark too."""
        rest = self.rest
        split = [rest[i + 1] for i in range(len(rest) - 1) if rest[i] == "--set"]
        return split + [word[len("--set=") :] for word in rest if word.startswith("--set=")]


@dataclass(frozen=True)
class Command:
    """A spark-submit command; `secrets` and `defaults` make up its private file of settings."""

    arguments: tuple[str, ...]  # before the script
    script: tuple[str, ...]  # the script and its own arguments
    secrets: Mapping[str, str] = field(default_factory=dict)
    defaults: str = ""  # spark-defaults.conf, which Spark does not read beside another file

    def line(self, properties: str) -> list[str]:
        """The whole command, with the path of the private file where there is one."""
        private = ["--properties-file", properties] if self.secrets else []
        return [*self.arguments, *private, *self.script]

    @property
    def masked(self) -> str:
        """The command as a person reads it."""
        names = " ".join(f"{name}=***" for name in sorted(self.secrets))
        return shlex.join(self.line(f"<private: {names}>"))

    @property
    def properties(self) -> str:
        """The private file: of two lines with one name, the last counts."""
        lines = [f"{_escaped(name)}={_escaped(value)}" for name, value in self.secrets.items()]
        return "\n".join([self.defaults, *lines, ""])


def asked(arguments: list[str]) -> Asked:
    """The job, our own options from wherever they stand, and the rest untouched.

    >>> asked(["--env", "emr", "ingest", "orders", "--dry-run", "--", "--env", "x"]).rest
    ('orders', '--', '--env', 'x')
    """
    ours: dict[str, str] = {}
    rest: list[str] = []
    dry_run, words = False, iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if word == "--":
            rest += [word, *words]
        elif word == "--dry-run":
            dry_run = True
        elif name in ("--env", "--conf"):
            ours[name[2:]] = value if equals else next(words, "")
            if not ours[name[2:]]:
                raise Usage(f"{name} needs a value", next="./spark-submit.sh --help")
        else:
            rest.append(word)
    job = rest.pop(0).replace("_", "-") if rest else ""
    if job not in SCRIPTS:
        said = f"unknown job {job[:60]!r}" if job else "no job was named"
        raise Usage(said, next=f"one of {', '.join(SCRIPTS)}: ./spark-submit.sh --help")
    given = tuple(part for name, value in ours.items() for part in (f"--{name}", value))
    return Asked(job=job, **ours, dry_run=dry_run, given=given, rest=tuple(rest))


def command(
    wanted: Asked, suite: Suite, *, root: Path, zips: list[Path], archive: Path | None = None
) -> Command:
    """The spark-submit command for this job of this suite.

    `archive` holds `conf/` for a driver that runs elsewhere: it is unpacked in its folder.
    """
    submit, home = _spark_submit()
    platform = _spark_defaults(home)
    conf = suite.environment.spark.conf
    settings = _all_settings(suite, conf, sparkconf.parsed(platform))
    spark_jars, of_s3 = _jars(suite, conf, sparkconf.parsed(platform))
    plain, secret = parted({**of_s3, **settings})
    master = _master(suite)
    files = [conf[name] for name in ("spark.submit.pyFiles",) if conf.get(name)]
    arguments = [
        submit,
        *(("--master", master) if master else ()),
        "--name",
        f"{suite.name} {wanted.job}",
        *(("--jars", ",".join(spark_jars)) if spark_jars else ()),
        "--py-files",
        ",".join([*map(str, zips), *files]),
    ]
    for name, value in sorted(plain.items()):
        arguments += ["--conf", f"{name}={value}"]
    script = str(root / "jobs" / SCRIPTS[wanted.job])
    given = wanted.given
    if archive is not None:
        sent = [conf[name] for name in ("spark.archives",) if conf.get(name)]
        arguments += ["--archives", ",".join([f"{archive}#{UNPACKED}", *sent])]
        given = ("--conf", f"{UNPACKED}/conf", "--env", wanted.env)
    return Command(
        tuple(arguments),
        (script, *given, *wanted.rest),
        secrets=secret,
        defaults=platform,
    )


def conf_archive(suite: Suite, work: Path) -> Path | None:
    """`conf/` as an archive, where the driver will run on another machine than this."""
    if suite.environment.spark.conf.get("spark.submit.deployMode") != "cluster":
        return None
    env = suite.environment
    for key, place in (("raw", env.raw), ("lake", env.lake)):
        if place.startswith(f"{suite.root}/"):
            raise Usage(
                f"{key} lies beside conf/, on this machine: in cluster mode the driver is on"
                " another one",
                where=f"{suite.conf}/env/{env.name}.yaml",
                next=f"give {key} a URI, or the whole path of a disk that all machines have",
            )
    archive = work / "conf.zip"
    files = conf_files(Path(suite.conf).resolve())
    archive.write_bytes(zip_of({f"conf/{name}": content for name, content in files.items()}))
    return archive


def parted(settings: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Settings that anybody may see, and those that nobody may.

    >>> parted({"spark.a": "1", "spark.hadoop.fs.s3a.secret.key": "x"})
    ({'spark.a': '1'}, {'spark.hadoop.fs.s3a.secret.key': 'x'})
    """
    secret = {
        name: value
        for name, value in settings.items()
        if _SECRET_NAME.search(name) or _SECRET_VALUE.search(value)
    }
    return {name: value for name, value in settings.items() if name not in secret}, secret


def _all_settings(
    suite: Suite, conf: Mapping[str, str], platform: Mapping[str, str]
) -> dict[str, str]:
    """The environment's settings, and those of ours that the JVM reads when it starts."""
    settings = suite.environment.spark
    taken = {"spark.master", "spark.jars", "spark.submit.pyFiles"}
    if conf.get("spark.submit.deployMode") == "cluster":
        taken.add("spark.archives")  # they go with ours
    made = {name: value for name, value in conf.items() if name not in taken}
    for name, value in made.items():
        if "${secret:" in value:
            raise Usage(
                f"spark.conf.{name} takes a secret that is not looked up before Spark starts",
                where=f"{suite.conf}/env/{suite.environment.name}.yaml",
                next="export it and write ${NAME}, or let the platform set it",
            )
    master = _master(suite) or platform.get("spark.master", "local[*]")
    ours = sparkconf.defaults(master, timezone=suite.timezone, app=suite.name, jars=())
    made |= {n: ours[n] for n in _BEFORE_THE_JVM if n in ours and n not in {*platform, *made}}
    if master.startswith("local"):
        theirs = made.get(sparkconf.OPTIONS) or platform.get(sparkconf.OPTIONS, "")
        made[sparkconf.OPTIONS] = sparkconf.java_options(theirs, quick=settings.quick, archive="")
    return {name: value for name, value in made.items() if value}


def _master(suite: Suite) -> str | None:
    settings = suite.environment.spark
    return settings.conf.get("spark.master") or settings.master


def _jars(
    suite: Suite, conf: Mapping[str, str], platform: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Delta's jars, those of S3 and the user's own: `--jars` takes the place of the setting.

    And the settings that go with them.
    """
    both = {**platform, **conf}
    own = _listed(both.get("spark.jars", ""))
    spark, delta = jars.installed_pair()
    found: list[Path] = []
    if not sparkconf.names_delta(both):
        if sentence := pairs.verdict(spark, delta):
            raise Infrastructure(sentence)
        found = jars.delta_jars(spark, delta, fetch=True)
    of_s3 = s3a.settings(suite.environment.places, spark, found)
    more = _listed(of_s3.pop("spark.jars", ""))
    return [*map(str, found), *more, *own], of_s3


def _listed(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _spark_submit() -> tuple[str, Path | None]:
    """spark-submit, and the Spark it belongs to where that can be told."""
    home = jars.spark_home()
    if home is not None and (home / "bin" / "spark-submit").is_file():
        return str(home / "bin" / "spark-submit"), home
    if found := shutil.which("spark-submit"):
        return found, None
    raise Infrastructure(
        "spark-submit is not found", next=f"set SPARK_HOME, or {pairs.DEFAULT.install}"
    )


def _spark_defaults(home: Path | None) -> str:
    folder = os.environ.get("SPARK_CONF_DIR") or (home / "conf" if home else "/etc/spark/conf")
    try:
        return Path(folder, "spark-defaults.conf").read_text(encoding="utf-8")
    except OSError:
        return ""


def _escaped(text: str) -> str:
    """A text as a Java properties file writes it.

    >>> print(_escaped("a b:\\\\c=é"))
    a\\u0020b\\u003a\\u005cc\\u003d\\u00e9
    """
    units = text.encode("utf-16-be")
    codes = [int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2)]
    plain = re.compile(r"[\w.,/+*@-]", re.ASCII)
    return "".join(chr(c) if plain.match(chr(c)) else f"\\u{c:04x}" for c in codes)


def _private(path: Path, text: str) -> Path:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    return path


def _prepare(root: Path, work: Path, arguments: list[str]) -> None:
    wanted = asked(arguments)
    suite = read_suite(wanted.conf, env=wanted.env, overrides=wanted.overrides)
    zips = code_zips(root, Path(suite.root), work)
    made = command(wanted, suite, root=root, zips=zips, archive=conf_archive(suite, work))
    if wanted.dry_run:
        print(made.masked)
        return
    properties = work / "private.conf"
    if made.secrets:
        _private(properties, made.properties)
    _private(work / "command", "".join(f"{part}\0" for part in made.line(str(properties))))


def main(arguments: list[str]) -> int:
    """ROOT WORK and the arguments of spark-submit.sh; the command comes to WORK/command."""
    root, work, *rest = arguments
    if not rest or {"--help", "-h"} & set(rest[: rest.index("--") if "--" in rest else None]):
        print(HELP, end="", file=sys.stdout if rest else sys.stderr)
        return 0 if rest else Usage.exit_code
    try:
        _prepare(Path(root), Path(work), rest)
    except HeadgateError as error:
        said = [error.sentence]
        if isinstance(error, Misconfigured):
            said = [str(fault) for fault in error.faults]
        print("\n".join(said), file=sys.stderr)
        # The last line of standard output is the result object, as from the job itself.
        shown = {"suite": None, "status": "failed", "exit_code": error.exit_code}
        print(json.dumps({**shown, "errors": said, "runs": []}))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
