"""`headgate land` to a real S3 server, also through a proxy that does what networks do."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bench.s3_server import HOW, Server, free_port, program, running

from commands import ROOT
from faulty_proxy import DROP, GARBLE, STALL, Fate, Proxy, proxy_to
from headgate.doors.cli import main
from unit.conf_files import laid_out

boto3 = pytest.importorskip("boto3", reason="needs the extra 'aws'")
pytestmark = pytest.mark.skipif(program() is None, reason=f"no S3 server: {HOW}")

DAY = "orders/2026-11-20"
MIB = 1 << 20
LARGE = 20 * MIB + 5  # three parts


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("s3") / "server") as one:
        yield one


class Shop:
    """A suite whose raw zone is a bucket of its own, and a folder of files that are to land."""

    def __init__(self, server: Server, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.server, self._capsys = server, capsys
        self.name = f"b{time.monotonic_ns()}"
        self.bucket, self.conf = server.bucket(self.name), laid_out(folder)
        self.raw, self.inbox = self.bucket / "raw", folder / "inbox"
        self.inbox.mkdir()
        self.point()

    def point(self, port: int | None = None, **more: str) -> None:
        """Write where the server is."""
        settings = json.dumps(self.server.settings(port=port, **more))
        env = f"raw: s3a://{self.name}/raw\nlake: lake\nspark: {{conf: {settings}}}\n"
        (self.conf / "env" / "local.yaml").write_text(env)

    def file(self, name: str, content: bytes = b"x") -> Path:
        made = self.inbox / name
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_bytes(content)
        return made

    def words(self, *more: str) -> list[str]:
        return ["land", str(self.inbox), "--to", DAY, "--conf", str(self.conf), "--json", *more]

    def land(self, *more: str) -> dict[str, Any]:
        code = main(self.words(*more))
        out = self._capsys.readouterr()
        told: dict[str, Any] = json.loads(out.out.splitlines()[-1])
        assert told["exit_code"] == code
        assert "Traceback" not in out.err
        return told

    def landed(self) -> dict[str, bytes]:
        every = sorted(path for path in self.raw.rglob("*") if path.is_file())
        return {path.relative_to(self.raw).as_posix(): path.read_bytes() for path in every}

    def offered(self) -> dict[str, bytes]:
        every = sorted(path for path in self.inbox.rglob("*") if path.is_file())
        return {
            f"{DAY}/{path.relative_to(self.inbox).as_posix()}": path.read_bytes() for path in every
        }

    def client(self) -> Any:
        said = {k.rpartition("s3a.")[2]: v for k, v in self.server.settings().items()}
        return boto3.client(
            "s3", endpoint_url=said["endpoint"], region_name=said["endpoint.region"],
            aws_access_key_id=said["access.key"], aws_secret_access_key=said["secret.key"],
        )  # fmt: skip

    def uploads(self) -> list[str]:
        """The keys of uploads that were broken off."""
        listed = self.client().list_multipart_uploads(Bucket=self.name)
        return [one["Key"] for one in listed.get("Uploads", [])]


@pytest.fixture
def shop(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(server, tmp_path, capsys)


@pytest.fixture
def proxy(shop: Shop) -> Iterator[Proxy]:
    with proxy_to(shop.server.port) as one:
        shop.point(one.port)
        yield one


def filled(shop: Shop) -> None:
    shop.file("a.csv", b"abc"), shop.file("deep/ü 1.csv", b"def"), shop.file("empty.csv", b"")
    shop.file("large.csv", os.urandom(LARGE))


def test_files_small_and_large_land_once(shop: Shop) -> None:
    filled(shop)
    assert shop.land()["counts"] == {"landed": 4}
    assert shop.landed() == shop.offered()
    told = shop.land()
    assert (told["status"], told["counts"], told["bytes"]) == ("unchanged", {"unchanged": 4}, 0)
    assert shop.uploads() == []


def test_other_content_keeps_the_whole_batch_out(shop: Shop) -> None:
    filled(shop)
    shop.land()
    before = shop.landed()
    shop.file("a.csv", b"xyz"), shop.file("new.csv")
    shop.file("large.csv", os.urandom(LARGE))
    told = shop.land()
    assert told["exit_code"] == 2
    assert [error.partition(":")[0] for error in told["errors"]] == [
        f"{DAY}/a.csv",
        f"{DAY}/large.csv",
    ]
    assert shop.landed() == before
    assert shop.land("--replace")["counts"] == {"unchanged": 2, "replaced": 2, "landed": 1}
    assert shop.landed() == shop.offered()


def test_what_another_tool_put_there_is_compared_by_its_content(shop: Shop) -> None:
    filled(shop)
    from boto3.s3.transfer import TransferConfig

    other = TransferConfig(multipart_threshold=6 * MIB, multipart_chunksize=6 * MIB)
    for path, content in shop.offered().items():
        local = shop.inbox / path.removeprefix(f"{DAY}/")
        shop.client().upload_file(str(local), shop.name, f"raw/{path}", Config=other)
        assert content == shop.landed()[path]
    assert shop.land()["counts"] == {"unchanged": 4}
    changed = bytearray((shop.inbox / "large.csv").read_bytes())
    changed[-1] ^= 1
    shop.file("large.csv", bytes(changed))
    assert shop.land()["exit_code"] == 2


@pytest.mark.faults
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=str)
def test_a_large_file_goes_on_where_it_was_broken_off(
    shop: Shop, proxy: Proxy, how: signal.Signals
) -> None:
    shop.file("large.csv", os.urandom(6 * 8 * MIB))
    answered = iter(range(4))
    parts = "partNumber="
    proxy.fate = lambda one: STALL if parts in one and next(answered, None) is None else "pass"
    process = subprocess.Popen(
        [sys.executable, "-m", "headgate", *shop.words()],
        env={**os.environ, "PYTHONPATH": str(ROOT / "lib")},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until(lambda: proxy.count(parts) == 6)
    time.sleep(0.5)  # the first four are answered
    process.send_signal(how)
    out, err = process.communicate(timeout=30)
    if how == signal.SIGTERM:
        assert process.returncode == 130, err
        assert "interrupted Next: run it again" in json.loads(out.splitlines()[-1])["errors"][0]
    assert shop.landed() == {}
    assert shop.uploads() == [f"raw/{DAY}/large.csv"]
    proxy.fate, sent = lambda _: "pass", proxy.count(parts)
    assert shop.land()["counts"] == {"landed": 1}
    assert proxy.count(parts) - sent == 2
    assert shop.landed() == shop.offered()
    assert shop.uploads() == []


def test_parts_of_what_the_file_was_before_are_sent_anew(shop: Shop, proxy: Proxy) -> None:
    shop.file("large.csv", old := os.urandom(LARGE))
    proxy.first(99, "partNumber=3", 500)
    assert shop.land()["exit_code"] == 20
    shop.file("large.csv", old[:100] + b"changed" + old[107:])
    proxy.fate, sent = lambda _: "pass", proxy.count("partNumber=")
    assert shop.land()["counts"] == {"landed": 1}
    assert proxy.count("partNumber=") - sent == 2
    assert shop.landed() == shop.offered()


@pytest.mark.parametrize("fate", [503, 500, DROP], ids=str)
@pytest.mark.parametrize("request_", ["PUT ", "partNumber=2", "POST "])
def test_what_fails_once_is_tried_again(
    shop: Shop, proxy: Proxy, request_: str, fate: Fate
) -> None:
    """A reply that is dropped leaves the work done, which the second try finds."""
    shop.file("a.csv", b"abc"), shop.file("large.csv", os.urandom(LARGE))
    proxy.first(1, request_, fate)
    told = shop.land()
    assert (told["exit_code"], told["counts"]) == (0, {"landed": 2}), told
    assert shop.landed() == shop.offered()
    assert shop.land()["counts"] == {"unchanged": 2}


@pytest.mark.parametrize(
    ("fate", "said"),
    [
        (503, "S3 answers 503 [503], 5 times"),
        (500, "S3 answers 500 [500], 5 times"),
        (GARBLE, "what arrived is not what was sent"),
        (507, "S3 has no room left"),
    ],
    ids=str,
)
def test_what_keeps_failing_is_said_and_taken_up_later(
    shop: Shop, proxy: Proxy, fate: Fate, said: str
) -> None:
    shop.file("a.csv", b"abc"), shop.file("b.csv", b"def")
    proxy.first(99, "PUT ", fate)
    told = shop.land()
    assert told["exit_code"] == 20
    assert said in told["errors"][0]
    assert " Next: " in told["errors"][0]
    assert shop.landed() == {}
    proxy.fate = lambda _: "pass"
    assert shop.land()["counts"] == {"landed": 2}


def test_a_rival_that_came_meanwhile_is_not_overwritten(shop: Shop, proxy: Proxy) -> None:
    shop.file("a.csv", b"mine"), shop.file("b.csv", b"same")

    def rival(one: str) -> Fate:
        if one.startswith("PUT "):
            for name, content in (("a.csv", b"theirs"), ("b.csv", b"same")):
                key = f"raw/{DAY}/{name}"
                shop.client().put_object(Bucket=shop.name, Key=key, Body=content)
        return "pass"

    proxy.fate = rival
    told = shop.land()
    assert told["exit_code"] == 2
    assert f"{DAY}/a.csv: other content is there" in told["errors"][0]
    assert shop.landed() == {f"{DAY}/a.csv": b"theirs", f"{DAY}/b.csv": b"same"}


@pytest.mark.parametrize(("same", "code"), [(True, 0), (False, 20)], ids=["same", "other"])
def test_an_upload_that_somebody_else_ends(
    shop: Shop, proxy: Proxy, *, same: bool, code: int
) -> None:
    """What is there then decides."""
    shop.file("large.csv", content := os.urandom(LARGE))
    key = f"raw/{DAY}/large.csv"
    shop.client().put_object(Bucket=shop.name, Key=key, Body=b"old")

    def rival(one: str) -> Fate:
        if "POST" in one and "uploadId=" in one:
            at = {"Bucket": shop.name, "Key": key}
            (open_one,) = shop.client().list_multipart_uploads(Bucket=shop.name)["Uploads"]
            shop.client().abort_multipart_upload(**at, UploadId=open_one["UploadId"])
            shop.client().put_object(**at, Body=content if same else b"other")
        return "pass"

    proxy.fate = rival
    told = shop.land("--replace")
    assert told["exit_code"] == code
    assert told["counts"] == ({"replaced": 1} if same else {})


def nowhere(shop: Shop) -> None:
    shop.point(free_port())


def no_bucket(shop: Shop) -> None:
    shop.bucket.rmdir()


def wrong_secret(shop: Shop) -> None:
    shop.point(secret="wrong")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (nowhere, "the S3 server does not answer [EndpointConnectionError] Next: when it is up"),
        (no_bucket, "there is no such bucket Next: make it, or correct raw:"),
        (wrong_secret, "does not accept these credentials [SignatureDoesNotMatch] Next: export"),
    ],
)
def test_a_place_that_cannot_be_reached(
    shop: Shop, spoil: Callable[[Shop], None], said: str
) -> None:
    shop.file("a.csv")
    spoil(shop)
    told = shop.land()
    assert told["exit_code"] == 20
    assert said in told["errors"][0]
    assert "wrong" not in json.dumps(told)


def test_no_credentials_at_all(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.file("a.csv")
    settings = {k: v for k, v in shop.server.settings().items() if ".key" not in k}
    env = f"raw: s3a://{shop.name}/raw\nlake: lake\nspark: {{conf: {json.dumps(settings)}}}\n"
    (shop.conf / "env" / "local.yaml").write_text(env)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    told = shop.land()
    assert told["exit_code"] == 20
    assert "no credentials for S3 were found Next: export AWS_PROFILE" in told["errors"][0]
    monkeypatch.setenv(
        "AWS_ACCESS_KEY_ID", shop.server.settings()["spark.hadoop.fs.s3a.access.key"]
    )
    monkeypatch.setenv(
        "AWS_SECRET_ACCESS_KEY", shop.server.settings()["spark.hadoop.fs.s3a.secret.key"]
    )
    assert shop.land()["counts"] == {"landed": 1}


def test_a_file_that_grows_while_it_is_sent_does_not_land(shop: Shop, proxy: Proxy) -> None:
    large = shop.file("large.csv", os.urandom(LARGE))

    def grows(one: str) -> Fate:
        if "partNumber=2" in one:
            with large.open("ab") as file:
                file.write(b"more")
        return "pass"

    proxy.fate = grows
    told = shop.land()
    assert told["exit_code"] == 20
    assert "large.csv: it changed while it was read" in told["errors"][0]
    assert shop.landed() == {}
    proxy.fate = lambda _: "pass"
    assert shop.land()["counts"] == {"landed": 1}
    assert shop.landed() == shop.offered()


@pytest.mark.parametrize("kind", ["AES256", "aws:kms"])
def test_a_server_that_does_not_encrypt_as_asked_gets_nothing(
    shop: Shop, proxy: Proxy, kind: str
) -> None:
    shop.file("a.csv")
    more = ["--kms-key", "k1"] if kind == "aws:kms" else []
    told = shop.land("--encrypt", kind, *more)
    assert told["exit_code"] == 64
    assert f"this server does not encrypt with {kind}" in told["errors"][0]
    assert shop.landed() == {}
    asked = [one for one in proxy.headers if "x-amz-server-side-encryption" in one]
    assert [one["x-amz-server-side-encryption"] for one in asked] == [kind]
    assert [one.get("x-amz-server-side-encryption-aws-kms-key-id") for one in asked] == [
        "k1" if more else None
    ]


def test_the_commands_of_the_page_land_on_s3(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "landing.md").read_text()
    (env,) = re.findall(r"^```yaml\n# conf/env/s3.yaml\n(.*?)^```$", page, re.M | re.S)
    (commands,) = re.findall(r"^```sh s3\n(.*?)^```$", page, re.M | re.S)
    (shop.conf / "env" / "s3.yaml").write_text(env.replace("shop-raw", shop.name))
    monkeypatch.chdir(shop.conf.parent)
    for name, key in (
        ("S3_SERVER", "endpoint"),
        ("S3_KEY", "access.key"),
        ("S3_SECRET", "secret.key"),
    ):
        monkeypatch.setenv(name, shop.server.settings()[f"spark.hadoop.fs.s3a.{key}"])
    shop.file("lines.csv")
    said = [main(line.split()[1:]) for line in commands.splitlines()]
    assert said == [0, 0]
    out = capsys.readouterr()
    assert "order_lines/2026-11-02/lines.csv landed: 1 byte" in out.err
    assert "no table of the suite reads it" in out.err
    assert json.loads(out.out)["counts"] == {"unchanged": 1}
    assert (shop.bucket / "dumps/order_lines/2026-11-02/lines.csv").read_bytes() == b"x"


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)
