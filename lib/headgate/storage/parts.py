"""A large file on its way to S3, in parts. What was broken off is gone on with.

boto3's own managed transfer cannot do that: it begins anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headgate.core.landing import MIB, Encryption
from headgate.storage.buckets import as_asked, encrypted, unless_there
from headgate.storage.checksums import Part, composite, parts_of, text
from headgate.storage.landing import Meter, Opened
from headgate.storage.side_by_side import side_by_side

MEMORY = 256 * MIB  # of parts in flight


@dataclass(frozen=True)
class Sent:
    """A part that the server has."""

    number: int
    tag: str
    digest: bytes  # SHA-256

    def named(self) -> dict[str, Any]:
        """As the last request of an upload names it."""
        return {"PartNumber": self.number, "ETag": self.tag, "ChecksumSHA256": text(self.digest)}


class Upload:
    """The way of one file to its key."""

    def __init__(self, client: Any, at: Mapping[str, str], encryption: Encryption | None) -> None:
        self._client, self._at, self._encryption = client, at, encryption

    def finished(
        self, source: Opened, meter: Meter, threads: int, new: Mapping[str, str]
    ) -> tuple[Any, str]:
        """Send what is missing, then make it one object: S3's answer, and the checksum to expect.

        The answer is None where `new` asked that nothing be there, and something was.
        """
        parts = parts_of(source.size)
        upload = self._taken_up(source, parts[-1])
        sent = self._kept(upload, source, parts, threads) if upload else {}
        meter.expect(-sum(part.length for part in parts if part.number in sent))
        at = {**self._at, "UploadId": upload or self._begun()}

        def send(part: Part) -> Sent:
            meter.go_on()
            one, _ = self._sent(at, source, part)
            meter.add(part.length)
            return one

        missing = [part for part in parts if part.number not in sent]
        threads = max(1, min(threads, MEMORY // parts[0].length))
        for one in side_by_side(send, missing, threads, meter.end):
            sent[one.number] = one
        source.still()
        whole = [sent[part.number] for part in parts]
        named = {"Parts": [one.named() for one in whole]}
        complete = self._client.complete_multipart_upload
        answer = unless_there(complete, **at, MultipartUpload=named, **new)
        return answer, composite(one.digest for one in whole)

    def _sent(self, at: Mapping[str, str], source: Opened, part: Part) -> tuple[Sent, Any]:
        body = source.read(part.start, part.length)
        digest = hashlib.sha256(body).digest()
        answer = self._client.upload_part(
            **at, PartNumber=part.number, Body=body, ChecksumSHA256=text(digest)
        )
        return Sent(part.number, answer["ETag"], digest), answer

    def _begun(self) -> str:
        begun = self._client.create_multipart_upload(
            **self._at, ChecksumAlgorithm="SHA256", **encrypted(self._encryption)
        )
        return str(begun["UploadId"])

    def _taken_up(self, source: Opened, last: Part) -> str | None:
        """The newest open upload of this key; what other tools send in their way is left alone."""
        listed = self._client.list_multipart_uploads(
            Bucket=self._at["Bucket"], Prefix=self._at["Key"]
        )
        ours = [
            one for one in listed.get("Uploads", [])
            if one["Key"] == self._at["Key"] and one.get("ChecksumAlgorithm", "SHA256") == "SHA256"
        ]  # fmt: skip
        if not ours:
            return None
        upload: str = max(ours, key=lambda one: one["Initiated"])["UploadId"]
        if self._encryption:  # how an open upload encrypts, only the answer to a part tells
            at = {**self._at, "UploadId": upload}
            _, answer = self._sent(at, source, last)
            if not as_asked(self._encryption, answer):
                self._client.abort_multipart_upload(**at)
                return None
        return upload

    def _kept(
        self, upload: str, source: Opened, parts: list[Part], threads: int
    ) -> dict[int, Sent]:
        """Those parts of an open upload that are as the file is now."""
        pages = self._client.get_paginator("list_parts").paginate(**self._at, UploadId=upload)
        there = {one["PartNumber"]: one for page in pages for one in page.get("Parts", [])}

        def kept(part: Part) -> Sent | None:
            found = there[part.number]
            if found["Size"] != part.length:
                return None
            digest = hashlib.sha256(source.read(part.start, part.length)).digest()
            same = found.get("ChecksumSHA256") == text(digest)
            return Sent(part.number, found["ETag"], digest) if same else None

        known = [part for part in parts if part.number in there]
        every = side_by_side(kept, known, max(1, min(threads, MEMORY // parts[0].length)))
        return {one.number: one for one in every if one is not None}
