"""Suites whose raw zone and lake are buckets of a real S3 server on this machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.s3_server import KEY, SECRET, free_port, until_open
from pyspark.sql import SparkSession

from builders import Lab
from headgate.core.errors import Infrastructure
from headgate.storage import s3a


def s3_is_here() -> bool:
    """Whether the connector to S3 is on this machine; the tests fetch nothing."""
    try:
        s3a.connector(fetch=False)
    except Infrastructure:
        return False
    return True


@contextmanager
def moto_running() -> Iterator[int]:
    """The port of a server that takes whatever keys it is given, and asks for no signature."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until_open(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def client_at(port: int) -> Any:
    """boto3's client of a server on this machine."""
    import boto3

    return boto3.client(
        "s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1",
        aws_access_key_id=KEY, aws_secret_access_key=SECRET,
    )  # fmt: skip


def known_to(spark: SparkSession, bucket: str, port: int, **more: str) -> None:
    """Tell a running session where a bucket is; others may be elsewhere."""
    said = {
        "endpoint": f"http://127.0.0.1:{port}", "endpoint.region": "us-east-1",
        "path.style.access": "true", "access.key": KEY, "secret.key": SECRET,
        "retry.interval": "20ms", "attempts.maximum": "3", "retry.limit": "3", **more,
    }  # fmt: skip
    jsc: Any = getattr(spark, "_jsc")  # noqa: B009 - not in the stubs
    for name, value in said.items():
        jsc.hadoopConfiguration().set(f"fs.s3a.bucket.{bucket}.{name}", value)


@dataclass
class LabOnS3(Lab):
    """A suite in a bucket: `folder` is where its server keeps it, which is looked at only."""

    bucket: str = ""
    client: Any = None
    scheme: str = "s3a"

    @property
    def raw_at(self) -> str:
        return f"{self.scheme}://{self.bucket}/raw"

    @property
    def lake_at(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.lake_name}"

    def content(self, path: str, content: bytes) -> Path:
        """An object, put as any client puts one."""
        self.client.put_object(Bucket=self.bucket, Key=f"raw/{path}", Body=content)
        return self.raw / path
