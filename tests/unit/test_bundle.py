"""A bundle: the same bytes twice, all that a cluster needs, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from headgate.core.steps import Python
from headgate.doors.cli import main
from headgate.stages.code import code_of

FILES = {
    "conf/suite.yaml": "name: small\nkeys: file:conf/keys\n",
    "conf/env/local.yaml": "raw: data/raw\nlake: data/lake\nspark: {master: 'local[1]'}\n",
    "conf/env/yarn.yaml": "raw: hdfs://n/raw\nlake: hdfs://n/lake\n"
    "spark: {master: yarn, conf: {spark.submit.deployMode: cluster, spark.archives: own.zip}}\n",
    "conf/env/astray.yaml": "raw: hdfs://n/raw\nlake: data/lake\n"
    "spark: {master: yarn, conf: {spark.submit.deployMode: cluster}}\n",
    "conf/ingested/orders.yaml": "source: {files: 'orders/{window}/*.csv', format: csv}\n"
    "columns: {id: bigint}\n",
    "conf/clean/orders.yaml": "reads: ingested.orders\nsteps: [{step: small.steps.same}]\n",
    "conf/clean/more.sql": "SELECT * FROM input",
    "conf/keys/main": "a key",
    "conf/.env": "SECRET=1",
    "lib/small/__init__.py": "",
    "lib/small/steps.py": "def same(rows):\n    return rows\n",
    "lib/.venv/lib/site.py": "",
    "lib/venv/pyvenv.cfg": "",
    "lib/venv/lib/site.py": "",
    "lib/small/__pycache__/steps.pyc": "",
    ".env": "SECRET=1",
    "data/raw/orders/a.csv": "id\n1\n",
}
PARTS = {
    "code/headgate.zip", "code/suite.zip", "conf/suite.yaml", "conf/env/local.yaml",
    "conf/env/yarn.yaml", "conf/env/astray.yaml", "conf/ingested/orders.yaml",
    "conf/clean/orders.yaml", "conf/clean/more.sql", "jobs/run.py", "jobs/ingest.py",
    "jobs/clean.py", "jobs/feature_engineer.py", "jobs/aggregate.py", "jobs/lifeline.py",
    "manifest.json", "spark-submit.sh",
}  # fmt: skip


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        file = tmp_path / "suite" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.chdir(tmp_path / "suite")
    return tmp_path / "suite"


def made(place: str) -> Path:
    assert main(["bundle", "--to", place]) == 0
    return Path(place)


def unpacked(bundle: Path, folder: Path) -> Path:
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    (folder / "spark-submit.sh").chmod(0o755)
    return folder


def test_the_same_suite_makes_the_same_bytes(suite: Path) -> None:
    first = made("one.zip").read_bytes()
    for file in suite.rglob("*.yaml"):
        os.utime(file, (1, 1))
    shutil.move("lib", "aside")
    shutil.copytree("aside", "lib")
    assert made("two.zip").read_bytes() == first
    Path("lib/small/steps.py").write_text("def same(rows):\n    return rows.distinct()\n")
    assert made("two.zip").read_bytes() != first


def test_it_holds_what_is_needed_and_no_more(suite: Path) -> None:
    bundle = made("small.zip")
    assert bundle.stat().st_size < 2_000_000
    with zipfile.ZipFile(bundle) as archive:
        assert set(archive.namelist()) == PARTS
        assert archive.getinfo("spark-submit.sh").external_attr >> 16 == 0o755
        manifest = json.loads(archive.read("manifest.json"))
        assert {name: one["sha256"] for name, one in manifest["files"].items()} == {
            name: hashlib.sha256(archive.read(name)).hexdigest()
            for name in PARTS - {"manifest.json"}
        }
        with archive.open("code/suite.zip") as inner, zipfile.ZipFile(inner) as code:
            assert set(code.namelist()) == {"small/__init__.py", "small/steps.py"}
        with archive.open("code/headgate.zip") as inner, zipfile.ZipFile(inner) as code:
            assert {name.partition("/")[0] for name in code.namelist()} == {"headgate"}
    assert manifest["suite"] == "small"
    assert "delta-spark" in manifest["jars"]


def test_it_is_submitted_from_where_it_is_unpacked(suite: Path, tmp_path: Path) -> None:
    there = unpacked(made("small.zip"), tmp_path / "there")
    shutil.rmtree(suite / "lib")
    said = submitted(there, "run", "--env", "local", "--dry-run")
    zips = f"{there}/code/headgate.zip,{there}/code/suite.zip"
    assert f"--py-files {zips}" in said.stdout, said.stderr
    assert f"{there}/jobs/run.py --env local" in said.stdout


def test_a_driver_elsewhere_is_sent_the_suite(suite: Path, tmp_path: Path) -> None:
    there = unpacked(made("small.zip"), tmp_path / "there")
    said = submitted(there, "ingest", "orders", "--env", "yarn", "--dry-run").stdout
    assert "/conf.zip#headgate-suite,own.zip" in said
    assert "spark.archives=" not in said
    assert "jobs/ingest.py --conf headgate-suite/conf --env yarn orders" in said
    refused = submitted(there, "run", "--env", "astray", "--dry-run")
    assert refused.returncode == 2
    assert "lake lies beside conf/, on this machine" in refused.stderr


def submitted(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        ["./spark-submit.sh", *words], cwd=folder, capture_output=True, text=True, check=False,
        env={**environ, "PYSPARK_PYTHON": sys.executable},
    )  # fmt: skip


def test_a_step_in_a_zip_has_the_name_of_the_same_step_in_a_folder(
    suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else all windows were due again on a cluster, and a changed step would not be seen there."""
    (suite / "lib" / "apart").mkdir()
    (suite / "lib" / "apart" / "__init__.py").write_text("def same(rows):\n    return rows\n")
    step = Python(function="apart.same")
    monkeypatch.syspath_prepend(str(suite / "lib"))
    known = code_of([step])
    monkeypatch.undo()
    with zipfile.ZipFile(suite / "code.zip", "w") as code:
        code.write(suite / "lib" / "apart" / "__init__.py", "apart/__init__.py")
    monkeypatch.syspath_prepend(str(suite / "code.zip"))
    assert code_of([step]) == known != code_of([Python(function="nowhere.same")])


def test_what_cannot_be_packed_is_said(
    suite: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["bundle", "--to", "folder"]) == 2
    assert "a bundle is a zip file" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "venv_pack", None)  # not installed
    assert main(["bundle", "--to", "a.zip", "--dependencies"]) == 2
    assert "pip install venv-pack" in capsys.readouterr().err
