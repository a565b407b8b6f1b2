"""S3 through boto3: the client that an environment asks for, and what its errors mean."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from headgate.core.errors import HeadgateError, Infrastructure, Usage
from headgate.core.landing import AGAIN, Encryption

TRIES = 5
_S3A = "spark.hadoop.fs.s3a."
_SIGN_ON = (
    "export AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    f"or set {_S3A}access.key and {_S3A}secret.key in conf/env"
)
_BAD_KEYS = {
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken",
    "InvalidSecurity", "InvalidClientTokenId", "401",
}  # fmt: skip
_OTHER_REGION = {
    "PermanentRedirect", "AuthorizationHeaderMalformed", "301",
    "IllegalLocationConstraintException",
}  # fmt: skip
_NO_ROOM = {"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "507"}
_GARBLED = {
    "BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch",
}  # fmt: skip


def setting(conf: Mapping[str, str], bucket: str, name: str) -> str | None:
    """What Spark's settings say of S3, one bucket's own word first.

    >>> setting({"spark.hadoop.fs.s3a.endpoint": "a", "spark.hadoop.fs.s3a.bucket.b.endpoint": "c"},
    ...         "b", "endpoint")
    'c'
    """
    value = conf.get(f"{_S3A}bucket.{bucket}.{name}") or conf.get(f"{_S3A}{name}")
    if value and "${secret:" in value:
        raise Usage(
            f"{_S3A}{name} takes a secret that is not looked up for landing",
            next="export it and write ${NAME}",
        )
    return value or None


def endpoint(conf: Mapping[str, str], bucket: str) -> str | None:
    """The server that Spark would ask; None: AWS's own, or what AWS_ENDPOINT_URL_S3 says."""
    named = setting(conf, bucket, "endpoint")
    if named is None or "://" in named:
        return named
    secure = (setting(conf, bucket, "connection.ssl.enabled") or "true").lower() != "false"
    return f"http{'s' if secure else ''}://{named}"


def client(conf: Mapping[str, str], bucket: str, connections: int) -> Any:
    """A client of S3: server, region and keys from Spark's settings, the rest as boto3 finds it."""
    if importlib.util.find_spec("boto3") is None:
        raise Usage("S3 needs boto3, which is not installed", next="pip install 'headgate[aws]'")
    import boto3
    from botocore.config import Config

    by_path = (setting(conf, bucket, "path.style.access") or "").lower() == "true"
    config = Config(
        retries={"mode": "standard", "total_max_attempts": TRIES},
        connect_timeout=10,
        max_pool_connections=connections,
        # Each request carries the SHA-256 of its body in a signed header: once is enough.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"payload_signing_enabled": False} | ({"addressing_style": "path"} if by_path else {}),
    )
    asked = {
        "endpoint_url": endpoint(conf, bucket),
        "region_name": setting(conf, bucket, "endpoint.region"),
        "aws_access_key_id": setting(conf, bucket, "access.key"),
        "aws_secret_access_key": setting(conf, bucket, "secret.key"),
        "aws_session_token": setting(conf, bucket, "session.token"),
    }
    try:
        with told_of(f"s3://{bucket}"):
            return boto3.client("s3", **asked, config=config)
    except ValueError as error:  # "Invalid endpoint: ..."
        where, hint = f"s3://{bucket}", f"correct {_S3A}endpoint in conf/env"
        raise Usage("S3's endpoint is not an address", where=where, next=hint) from error


def encrypted(asked: Encryption | None) -> dict[str, str]:
    """What a request says of how its object is to be encrypted."""
    if asked is None:
        return {}
    return {"ServerSideEncryption": asked.kind} | ({"SSEKMSKeyId": asked.key} if asked.key else {})


def as_asked(asked: Encryption, answer: Mapping[str, Any]) -> bool:
    """Whether S3 says that it encrypts so. It names a key by its ARN, whatever it was called.

    >>> ours = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:kms:eu:1:key/77"}
    >>> [as_asked(Encryption("aws:kms", key), ours) for key in ("77", "alias/a", None, "78")]
    [True, True, True, False]
    """
    if answer.get("ServerSideEncryption") != asked.kind:
        return False
    named, key = str(answer.get("SSEKMSKeyId", "")), asked.key
    return not key or not named or "alias/" in key or named.rpartition("/")[2] in key


def unless_there(request: Callable[..., Any], **words: Any) -> Any:
    """The answer to a request; None where its condition failed, that nothing be there.

    A request that is repeated because its answer got lost finds its own work done.
    """
    from botocore.exceptions import ClientError

    try:
        return request(**words)
    except ClientError as error:
        if answered(error)[0] in ("PreconditionFailed", "412", "NoSuchUpload"):
            return None
        raise


def answered(error: Exception) -> tuple[str, int]:
    """The code and the status of an answer that is an error."""
    response: Mapping[str, Any] = getattr(error, "response", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return str(response.get("Error", {}).get("Code", "")), int(status)


@contextlib.contextmanager
def told_of(where: str) -> Iterator[None]:
    """Faults of S3 as errors that a person can act on."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _of_answer(*answered(error), where) from error
    except BotoCoreError as error:
        raise _of_client(type(error).__name__, where) from error


def _of_answer(code: str, status: int, where: str) -> HeadgateError:
    if code in _BAD_KEYS:
        return Infrastructure(f"S3 does not accept these credentials [{code}]", where=where,
                              next=_SIGN_ON)  # fmt: skip
    if code == "NoSuchBucket":
        return Infrastructure("there is no such bucket", where=where,
                              next="make it, or correct raw: in conf/env")  # fmt: skip
    if code in _OTHER_REGION:
        return Infrastructure(f"the bucket is in another region [{code}]", where=where,
                              next=f"set {_S3A}endpoint.region in conf/env")  # fmt: skip
    if code == "RequestTimeTooSkewed":
        return Infrastructure("this machine's clock is wrong", where=where, next="set it by NTP")
    if code.startswith("KMS"):
        return Infrastructure(f"the key of KMS cannot be used [{code}]", where=where,
                              next="correct --kms-key, or let this user use that key")  # fmt: skip
    if code in _NO_ROOM or status == 507:
        return Infrastructure("S3 has no room left", where=where, next=f"make room, then {AGAIN}")
    if code in _GARBLED:
        return Infrastructure("what arrived is not what was sent", where=where, next=AGAIN)
    if status == 403:
        return Infrastructure(
            f"S3 refuses this user [{code}]", where=where,
            next="allow s3:ListBucket, s3:ListBucketMultipartUploads, s3:GetObject, s3:PutObject, "
            "s3:ListMultipartUploadParts and s3:AbortMultipartUpload there",
        )  # fmt: skip
    tries = f", {TRIES} times" if status >= 500 else ""
    return Infrastructure(f"S3 answers {status} [{code}]{tries}", where=where, next=AGAIN)


def _of_client(kind: str, where: str) -> HeadgateError:
    """What boto3 found before an answer came, or instead of one."""
    if "Credential" in kind or "Token" in kind or "SSO" in kind:
        return Infrastructure("no credentials for S3 were found", where=where, next=_SIGN_ON)
    if kind == "ProfileNotFound":
        return Usage("AWS_PROFILE names no profile of this machine", where=where, next=_SIGN_ON)
    if kind in ("ParamValidationError", "InvalidRegionError", "InvalidEndpointConfigurationError"):
        return Usage(f"S3 cannot be asked so [{kind}]", where=where, next="correct conf/env")
    what = f"the S3 server does not answer [{kind}]"
    return Infrastructure(what, where=where, next=f"when it is up, {AGAIN}")
