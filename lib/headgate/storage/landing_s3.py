"""A raw zone on S3. Every piece is sent with its SHA-256, which the server checks and keeps.

boto3's own managed transfer cannot go on with an upload that was broken off, so the parts of large
files are sent here.
"""

from __future__ import annotations

import base64
import hashlib
import os.path
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headgate.core.errors import Infrastructure, Refused, Usage
from headgate.core.landing import MIB, PART, Encryption, Occupied, part_size
from headgate.storage.buckets import answered, client, told_of
from headgate.storage.files import CHUNK
from headgate.storage.landing import OTHER, Meter, Opened
from headgate.storage.side_by_side import side_by_side

THREADS = 10
MEMORY = 256 * MIB  # of parts in flight
TRIAL = "_headgate"  # a name that ingest passes over; nothing is ever put there


@dataclass(frozen=True)
class Part:
    """One piece of a large file."""

    number: int
    start: int
    length: int


@dataclass(frozen=True)
class Sent:
    """A part that the server has."""

    number: int
    tag: str
    digest: bytes  # SHA-256

    def named(self) -> dict[str, Any]:
        """As the last request of an upload names it."""
        return {"PartNumber": self.number, "ETag": self.tag, "ChecksumSHA256": _text(self.digest)}


class BucketPlace:
    """A bucket, or a folder in one."""

    threads = THREADS
    alone: float = PART

    def __init__(
        self, raw: str, conf: Mapping[str, str], encryption: Encryption | None = None
    ) -> None:
        self._raw = raw
        self._bucket, _, folder = raw.partition("://")[2].partition("/")
        if not self._bucket:
            raise Usage("it names no bucket", where=raw, next="raw: s3a://BUCKET/FOLDER")
        self._below = folder.strip("/")
        self._encryption = encryption
        self.folder: str | None = None
        self._client = client(conf, self._bucket, THREADS)

    def ready(self) -> None:
        with told_of(self._raw):
            self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._below, MaxKeys=1)
            if self._encryption is None:
                return
            # Some servers take the wish for encryption and forget it: ask before data is there.
            begun = self._client.create_multipart_upload(**self._at(TRIAL), **self._encrypted())
            self._client.abort_multipart_upload(**self._at(TRIAL), UploadId=begun["UploadId"])
        self._refuse_unencrypted(begun)

    def there(self, paths: Sequence[str]) -> Mapping[str, int]:
        """One listing of what begins like all of them, rather than a question for each."""
        keys = {self._key(path): path for path in paths}
        if not keys:
            return {}
        last, found = max(keys), dict[str, int]()
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket,
            Prefix=os.path.commonprefix(list(keys)),  # noqa: RUF071 - keys have no folders
        )
        with told_of(self._raw):
            for page in pages:
                contents = page.get("Contents", [])
                found |= {keys[o["Key"]]: o["Size"] for o in contents if o["Key"] in keys}
                if contents and contents[-1]["Key"] >= last:
                    break
        return found

    def differs(self, path: str, source: Opened) -> str | None:
        with told_of(self._where(path)):
            head = self._client.head_object(**self._at(path), ChecksumMode="ENABLED")
            if head["ContentLength"] != source.size or not self._holds(path, source, head):
                return OTHER
        if self._encryption and not _as_asked(self._encryption, head):
            return f"the same content is there, not encrypted with {self._encryption.kind}"
        return None

    def _holds(self, path: str, source: Opened, head: Mapping[str, Any]) -> bool:
        kept = head.get("ChecksumSHA256")
        if kept and "-" not in kept and kept == _text(_whole(source)):
            return True
        if kept and head.get("ChecksumType") == "FULL_OBJECT":
            return False
        if kept and _agree(kept, _composite(_digests(source))):
            return True
        # Another tool put it there, in parts of its own or with no checksum that fits: read it.
        body = self._client.get_object(**self._at(path))["Body"]
        with body:
            return all(piece == _exactly(body, len(piece)) for piece in source.pieces())

    def land(self, source: Opened, path: str, meter: Meter, *, replace: bool) -> None:
        new = {} if replace else {"IfNoneMatch": "*"}
        if source.size > PART:
            answer, checksum = self._in_parts(source, path, meter, new)
        else:
            answer, checksum = self._at_once(source, path, meter, new)
        if answer is None:  # something is there: perhaps it is ours, and its answer got lost
            if other := self.differs(path, source):
                raise Occupied(other, where=path)
            return
        self._verify(answer, checksum, path, source)

    def _at_once(
        self, source: Opened, path: str, meter: Meter, new: Mapping[str, str]
    ) -> tuple[Any, str]:
        body = source.read(0, source.size)
        source.still()
        checksum = _text(hashlib.sha256(body).digest())
        meter.go_on()
        with told_of(self._where(path)):
            answer = self._unless_there(
                "put_object", **self._at(path), Body=body, ChecksumSHA256=checksum,
                **new, **self._encrypted(),
            )  # fmt: skip
        meter.add(len(body))
        return answer, checksum

    def _in_parts(
        self, source: Opened, path: str, meter: Meter, new: Mapping[str, str]
    ) -> tuple[Any, str]:
        """Send what is missing of the parts, then make them one object."""
        parts = _parts(source.size)
        with told_of(self._where(path)):
            upload, sent = self._begun(source, path, parts)
            meter.expect(-sum(part.length for part in parts if part.number in sent))
            at = {**self._at(path), "UploadId": upload}

            def send(part: Part) -> Sent:
                body = source.read(part.start, part.length)
                meter.go_on()
                digest = hashlib.sha256(body).digest()
                with told_of(self._where(path)):
                    answer = self._client.upload_part(
                        **at, PartNumber=part.number, Body=body, ChecksumSHA256=_text(digest)
                    )
                meter.add(part.length)
                return Sent(part.number, answer["ETag"], digest)

            missing = [part for part in parts if part.number not in sent]
            threads = max(1, min(THREADS, MEMORY // parts[0].length))
            for one in side_by_side(send, missing, threads, meter.end):
                sent[one.number] = one
            source.still()
            whole = [sent[part.number] for part in parts]
            answer = self._unless_there(
                "complete_multipart_upload",
                **at, MultipartUpload={"Parts": [one.named() for one in whole]}, **new,
            )  # fmt: skip
        return answer, _composite([one.digest for one in whole])

    def _begun(
        self, source: Opened, path: str, parts: Sequence[Part]
    ) -> tuple[str, dict[int, Sent]]:
        """An upload that was broken off, with those of its parts that are as the file is now."""
        open_one = self._broken_off(path)
        if open_one and not self._encrypts(open_one, source, path, parts[-1]):
            self._client.abort_multipart_upload(**self._at(path), UploadId=open_one)
            open_one = None
        if open_one is None:
            begun = self._client.create_multipart_upload(
                **self._at(path), ChecksumAlgorithm="SHA256", **self._encrypted()
            )
            return begun["UploadId"], {}
        there = {
            found["PartNumber"]: found
            for page in self._client.get_paginator("list_parts").paginate(
                **self._at(path), UploadId=open_one
            )
            for found in page.get("Parts", [])
        }

        def kept(part: Part) -> Sent | None:
            found = there[part.number]
            digest = hashlib.sha256(source.read(part.start, part.length)).digest()
            same = found["Size"] == part.length and found.get("ChecksumSHA256") == _text(digest)
            return Sent(part.number, found["ETag"], digest) if same else None

        known = [part for part in parts if part.number in there]
        same = [one for one in side_by_side(kept, known, THREADS) if one is not None]
        return open_one, {one.number: one for one in same}

    def _broken_off(self, path: str) -> str | None:
        """The newest open upload of this file; what other tools send in their way is left alone."""
        key = self._key(path)
        listed = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=key)
        ours = [
            one for one in listed.get("Uploads", [])
            if one["Key"] == key and one.get("ChecksumAlgorithm", "SHA256") == "SHA256"
        ]  # fmt: skip
        return max(ours, key=lambda one: one["Initiated"])["UploadId"] if ours else None

    def _encrypts(self, upload: str, source: Opened, path: str, last: Part) -> bool:
        """Whether an open upload encrypts as asked: only the answer to a part tells."""
        if self._encryption is None:
            return True
        body = source.read(last.start, last.length)
        answer = self._client.upload_part(
            **self._at(path), UploadId=upload, PartNumber=last.number, Body=body,
            ChecksumSHA256=_text(hashlib.sha256(body).digest()),
        )  # fmt: skip
        return _as_asked(self._encryption, answer)

    def _unless_there(self, verb: str, **request: Any) -> Any:
        """The answer of S3; None where the condition failed that nothing be there."""
        from botocore.exceptions import ClientError

        try:
            return getattr(self._client, verb)(**request)
        except ClientError as error:
            # A repeated request whose first answer got lost finds its own work done.
            if answered(error)[0] in ("PreconditionFailed", "412", "NoSuchUpload"):
                return None
            raise

    def _verify(self, answer: Mapping[str, Any], checksum: str, path: str, source: Opened) -> None:
        """Believe that it arrived only where the server says so of these very bytes."""
        self._refuse_unencrypted(answer)
        said = answer.get("ChecksumSHA256")
        if not _agree(said, checksum) if said else self.differs(path, source):
            what = "what arrived is not what was sent"
            raise Infrastructure(what, where=self._where(path), next="run it again with --replace")

    def _refuse_unencrypted(self, answer: Mapping[str, Any]) -> None:
        asked = self._encryption
        if asked and not _as_asked(asked, answer):
            raise Refused(
                f"this server does not encrypt with {asked.kind}",
                where=self._raw,
                next="leave out --encrypt, or use another raw zone",
            )

    def _encrypted(self) -> dict[str, str]:
        if self._encryption is None:
            return {}
        key = {"SSEKMSKeyId": self._encryption.key} if self._encryption.key else {}
        return {"ServerSideEncryption": self._encryption.kind, **key}

    def _key(self, path: str) -> str:
        return f"{self._below}/{path}" if self._below else path

    def _at(self, path: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._key(path)}

    def _where(self, path: str) -> str:
        return f"{self._raw.rstrip('/')}/{path}"


def _as_asked(asked: Encryption, answer: Mapping[str, Any]) -> bool:
    """Whether S3 says that it encrypts so. It names a key by its ARN, whatever it was called."""
    if answer.get("ServerSideEncryption") != asked.kind:
        return False
    named, key = str(answer.get("SSEKMSKeyId", "")), asked.key
    return not key or not named or "alias/" in key or named.rpartition("/")[2] in key


def _parts(size: int) -> list[Part]:
    step = part_size(size)
    starts = range(0, size, step)
    return [Part(n, start, min(step, size - start)) for n, start in enumerate(starts, 1)]


def _digests(source: Opened) -> Iterator[bytes]:
    for part in _parts(source.size):
        yield hashlib.sha256(source.read(part.start, part.length)).digest()


def _composite(digests: Iterator[bytes] | Sequence[bytes]) -> str:
    """What S3 keeps of an object in parts: the digest of its parts' digests, and their number."""
    every = list(digests)
    return f"{_text(hashlib.sha256(b''.join(every)).digest())}-{len(every)}"


def _agree(said: str, checksum: str) -> bool:
    """Whether two checksums are one; some servers leave out the number of parts."""
    return said.partition("-")[0] == checksum.partition("-")[0]


def _whole(source: Opened) -> bytes:
    seen = hashlib.sha256()
    for piece in source.pieces():
        seen.update(piece)
    return seen.digest()


def _exactly(body: Any, length: int) -> bytes:
    """So many bytes of a stream, which may give fewer at a time."""
    content = b""
    while len(content) < length:
        piece = body.read(min(CHUNK, length - len(content)))
        if not piece:
            break
        content += piece
    return content


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
