"""`headgate land` of a folder to an S3 server, against `aws s3 cp --recursive` of the same."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Figure, alternating, arguments, ground, say, show
from bench.s3_server import KEY, REGION, SECRET, Server, running
from bench.suites import events, lay

GOAL = 1.0
MB = 1_000_000


def main(given: Sequence[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--files", type=int, help="200 unless told")
    parser.add_argument("--megabytes", type=int, help="in all; 1,000 unless told")
    parser.add_argument("--aws", default="aws", help="the AWS command line to compare with")
    told = parser.parse_args(given)
    files, megabytes, repeats = (10, 20, 1) if told.quick else (200, 1000, 3)
    files, megabytes = told.files or files, told.megabytes or megabytes
    repeats = told.repeats or repeats
    aws = shutil.which(told.aws)
    if aws is None:
        sys.exit(f"there is no command '{told.aws}' to compare with: pip install awscli")
    with ground(told.folder) as folder, running(folder / "s3") as server:
        say(f"{files} files of {megabytes * MB // files:,} bytes")
        inbox = written(folder / "inbox", files, megabytes * MB // files)
        sides = Sides(folder, server, inbox, aws)
        ours, theirs = alternating([sides.headgate, sides.aws], repeats)
        note = f"{megabytes:,} MB in {files} files, each side a fresh process"
        show(
            Figure("land, S3", tuple(ours), tuple(theirs), "aws s3 cp", GOAL, note=note),
            as_json=told.json,
        )


def written(folder: Path, files: int, size: int) -> Path:
    """Files that no compression makes smaller."""
    folder.mkdir()
    luck = random.Random(7)
    for place in range(files):
        (folder / f"part-{place:04}.csv").write_bytes(luck.randbytes(size))
    return folder


class Sides:
    """Both commands; each turn fills a new bucket, which is gone afterwards."""

    def __init__(self, folder: Path, server: Server, inbox: Path, aws: str) -> None:
        self._server, self._inbox, self._aws, self._folder = server, inbox, aws, folder
        lay(folder, events(("events",)), master="local[2]", quick=True, conf=server.settings())

    def headgate(self, turn: int) -> float:
        bucket = f"ours{turn}"
        command = [sys.executable, "-m", "headgate", "land", str(self._inbox), "--to", "x"]
        return self._timed(bucket, [*command, "--set", f"raw=s3a://{bucket}/raw"])

    def aws(self, turn: int) -> float:
        bucket = f"theirs{turn}"
        command = [self._aws, "s3", "cp", "--recursive", str(self._inbox)]
        return self._timed(bucket, [*command, f"s3://{bucket}/raw/x"])

    def _timed(self, bucket: str, command: list[str]) -> float:
        made = self._server.bucket(bucket)
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self._server.url,
        }
        if command[0] == self._aws:  # its Python may be another
            del env["PYTHONPATH"]
        started = time.perf_counter()
        with (self._folder / "said").open("w+") as said:
            done = subprocess.run(
                command, cwd=self._folder, env=env, check=False, stdout=said, stderr=said
            )
        seconds = time.perf_counter() - started
        if done.returncode:
            sys.exit((self._folder / "said").read_text()[-2000:])
        sizes = [path.stat().st_size for path in (made / "raw" / "x").iterdir()]
        assert sorted(sizes) == sorted(path.stat().st_size for path in self._inbox.iterdir())
        shutil.rmtree(made)
        return round(seconds, 3)


if __name__ == "__main__":
    main()
