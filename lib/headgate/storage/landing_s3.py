"""A raw zone on S3. Every piece is sent with its SHA-256, which the server checks and keeps."""

from __future__ import annotations

import hashlib
import os.path
from collections.abc import Mapping, Sequence
from typing import Any

from headgate.core.errors import Infrastructure, Refused, Usage
from headgate.core.landing import AGAIN, PART, Encryption, Occupied
from headgate.storage.buckets import as_asked, client, encrypted, told_of, unless_there
from headgate.storage.checksums import agree, composite, part_digests, text, whole
from headgate.storage.files import CHUNK
from headgate.storage.landing import OTHER, Meter, Opened
from headgate.storage.parts import Upload

THREADS = 10
TRIAL = "_headgate"  # a name that ingest passes over; nothing is ever put there


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
            begun = self._client.create_multipart_upload(
                **self._at(TRIAL), **encrypted(self._encryption)
            )
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
        if self._encryption and not as_asked(self._encryption, head):
            return f"the same content is there, not encrypted with {self._encryption.kind}"
        return None

    def _holds(self, path: str, source: Opened, head: Mapping[str, Any]) -> bool:
        kept = head.get("ChecksumSHA256")
        if kept and "-" not in kept and kept == text(whole(source)):
            return True
        if kept and head.get("ChecksumType") == "FULL_OBJECT":
            return False
        if kept and agree(kept, composite(part_digests(source))):
            return True
        # Another tool put it there, in parts of its own or with no checksum that fits: read it.
        body = self._client.get_object(**self._at(path))["Body"]
        with body:
            return all(piece == _exactly(body, len(piece)) for piece in source.pieces())

    def land(self, source: Opened, path: str, meter: Meter, *, replace: bool) -> None:
        new = {} if replace else {"IfNoneMatch": "*"}
        with told_of(self._where(path)):
            if source.size > PART:
                upload = Upload(self._client, self._at(path), self._encryption)
                answer, checksum = upload.finished(source, meter, THREADS, new)
            else:
                answer, checksum = self._at_once(source, path, meter, new)
        if answer is not None:
            self._verify(answer, checksum, path, source)
        elif other := self.differs(path, source):
            # Else it is what was to land: perhaps it is ours, and the answer got lost.
            if new:
                raise Occupied(other, where=path)
            what = "somebody else ended the upload"
            raise Infrastructure(what, where=self._where(path), next=AGAIN)

    def _at_once(
        self, source: Opened, path: str, meter: Meter, new: Mapping[str, str]
    ) -> tuple[Any, str]:
        body = source.read(0, source.size)
        source.still()
        checksum = text(hashlib.sha256(body).digest())
        meter.go_on()
        answer = unless_there(
            self._client.put_object, **self._at(path), Body=body, ChecksumSHA256=checksum,
            **new, **encrypted(self._encryption),
        )  # fmt: skip
        meter.add(len(body))
        return answer, checksum

    def _verify(self, answer: Mapping[str, Any], checksum: str, path: str, source: Opened) -> None:
        """Believe that it arrived only where the server says so of these very bytes."""
        self._refuse_unencrypted(answer)
        said = answer.get("ChecksumSHA256")
        if not agree(said, checksum) if said else self.differs(path, source):
            what = "what arrived is not what was sent"
            raise Infrastructure(what, where=self._where(path), next="run it again with --replace")

    def _refuse_unencrypted(self, answer: Mapping[str, Any]) -> None:
        asked = self._encryption
        if asked and not as_asked(asked, answer):
            raise Refused(
                f"this server does not encrypt with {asked.kind}",
                where=self._raw,
                next="leave out --encrypt, or use another raw zone",
            )

    def _key(self, path: str) -> str:
        return f"{self._below}/{path}" if self._below else path

    def _at(self, path: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._key(path)}

    def _where(self, path: str) -> str:
        return f"{self._raw.rstrip('/')}/{path}"


def _exactly(body: Any, length: int) -> bytes:
    """So many bytes of a stream, which may give fewer at a time."""
    content = b""
    while len(content) < length:
        piece = body.read(min(CHUNK, length - len(content)))
        if not piece:
            break
        content += piece
    return content
