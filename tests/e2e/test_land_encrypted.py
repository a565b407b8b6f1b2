"""`headgate land --encrypt` to a server that keeps how an object is encrypted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from headgate.doors.cli import main
from on_s3 import moto_running
from unit.conf_files import laid_out

boto3 = pytest.importorskip("boto3", reason="needs the extra 'aws'")
pytestmark = pytest.mark.skipif(find_spec("moto") is None, reason="needs the extra 'servers'")

DAY = "orders/2026-11-20"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0001"
PART = 8 << 20


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with moto_running() as one:
        yield one


@pytest.fixture
def client(port: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "anything")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{port}")
    return boto3.client("s3")


def land(folder: Path, capsys: pytest.CaptureFixture[str], bucket: str, *more: str) -> Any:
    """The command, which finds server and keys where AWS's own tools do."""
    words = ["land", str(folder / "inbox"), "--to", DAY, "--conf", str(folder / "conf")]
    code = main([*words, "--set", f"raw=s3://{bucket}", "--json", *more])
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["exit_code"] == code
    return told


def test_what_lands_is_encrypted_as_asked(
    client: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    laid_out(tmp_path)
    client.create_bucket(Bucket="one")
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.csv").write_bytes(b"x")
    (tmp_path / "inbox" / "large.csv").write_bytes(os.urandom(PART + 1))

    def kept(name: str) -> tuple[str | None, str | None]:
        head = client.head_object(Bucket="one", Key=f"{DAY}/{name}")
        return head.get("ServerSideEncryption"), head.get("SSEKMSKeyId")

    assert land(tmp_path, capsys, "one", "--encrypt", "AES256")["counts"] == {"landed": 2}
    assert kept("a.csv") == kept("large.csv") == ("AES256", None)
    assert land(tmp_path, capsys, "one")["counts"] == {"unchanged": 2}
    kms = ("--encrypt", "aws:kms", "--kms-key", KEY)
    told = land(tmp_path, capsys, "one", *kms)
    assert told["exit_code"] == 2
    assert "the same content is there, not encrypted with aws:kms" in told["errors"][0]
    assert land(tmp_path, capsys, "one", *kms, "--replace")["counts"] == {"replaced": 2}
    assert kept("a.csv") == kept("large.csv") == ("aws:kms", KEY)
    assert land(tmp_path, capsys, "one", *kms)["counts"] == {"unchanged": 2}


@pytest.mark.parametrize("before", [{}, {"ServerSideEncryption": "AES256"}], ids=["plain", "same"])
def test_an_upload_that_encrypts_otherwise_is_not_taken_up(
    client: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], before: dict[str, str]
) -> None:
    laid_out(tmp_path)
    bucket, key = "two-plain" if not before else "two-same", f"{DAY}/large.csv"
    client.create_bucket(Bucket=bucket)
    (tmp_path / "inbox").mkdir()
    content = os.urandom(PART + 1)
    (tmp_path / "inbox" / "large.csv").write_bytes(content)
    at = {"Bucket": bucket, "Key": key}
    begun = client.create_multipart_upload(**at, ChecksumAlgorithm="SHA256", **before)["UploadId"]
    client.upload_part(**at, UploadId=begun, PartNumber=1, Body=content[:PART])
    assert land(tmp_path, capsys, bucket, "--encrypt", "AES256")["counts"] == {"landed": 1}
    found = client.get_object(**at)
    assert (found["ServerSideEncryption"], found["Body"].read()) == ("AES256", content)
    assert not client.list_multipart_uploads(Bucket=bucket).get("Uploads")
