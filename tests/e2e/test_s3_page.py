"""The page on S3, as it stands: its environment and its commands, on a real server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bench.s3_server import HOW, REGION, program, running

from commands import ROOT, headgate
from on_s3 import client_at, s3_is_here

pytestmark = [
    pytest.mark.skipif(program() is None, reason=f"no S3 server: {HOW}"),
    pytest.mark.skipif(not s3_is_here(), reason="no connector: python -m headgate.storage.s3a"),
]


def test_the_commands_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "s3.md").read_text()
    (env,) = re.findall(r"^```yaml\n# conf/env/s3.yaml\n(.*?)^```$", page, re.M | re.S)
    (commands,) = re.findall(r"^```sh s3-lake\n(.*?)^```$", page, re.M | re.S)
    suite = tmp_path / "rides"
    assert headgate("init", suite, cwd=tmp_path).code == 0
    with running(tmp_path / "server") as server:
        for name in ("shop-raw", "shop-lake"):
            server.bucket(name)
        for file in (suite / "data/raw").rglob("*.csv"):
            key = f"dumps/{file.relative_to(suite / 'data/raw')}"
            client_at(server.port).put_object(Bucket="shop-raw", Key=key, Body=file.read_bytes())
        (suite / "conf/env/s3.yaml").write_text(env.replace("eu-central-1", REGION))
        said = server.settings()
        for name, key in (
            ("S3_SERVER", "endpoint"), ("S3_KEY", "access.key"), ("S3_SECRET", "secret.key"),
        ):  # fmt: skip
            monkeypatch.setenv(name, said[f"spark.hadoop.fs.s3a.{key}"])
        typed = [headgate(*line.split()[1:], cwd=suite) for line in commands.splitlines()]
        assert [one.code for one in typed] == [0, 0, 0], typed
        doctor, run, status = (one.out + one.err for one in typed)
        assert "several drivers at once are safe" in doctor
        assert "9 published" in run
        assert status.count(" ok ") == 3
        assert (server.folder / "shop-lake/lake/ops/storage.json").is_file()
        written = "".join(run + status + doctor)
        assert said["spark.hadoop.fs.s3a.secret.key"] not in written
