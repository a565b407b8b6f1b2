"""The raw zone and the lake, as `headgate doctor` sees them: reachable, writable, safe, roomy."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from headgate.core.errors import HeadgateError, Infrastructure, Refused
from headgate.core.spec import Suite
from headgate.doors.findings import Finding, failed, fine, warned
from headgate.storage import machine, pairs, s3a
from headgate.storage.files import unusable

GIB = 1 << 30
LITTLE, NONE = 2 * GIB, GIB // 4  # room that is worth a word; too little for anything
SKEW, MOST_SKEW = 2.0, 30.0  # seconds; a lease lasts for sixty
BUCKETS = ("s3", "s3a", "s3n")
# Buckets mounted as folders: neither locks nor exclusive creation hold between machines.
MOUNTED_BUCKETS = ("s3fs", "goofys", "rclone", "gcsfuse", "blobfuse", "mountpoint-s3")
SHARED_DISKS = ("nfs", "cifs", "smb", "9p", "ceph", "gluster", "lustre")
ENOUGH = 1_000  # files are counted up to here


def examined(suite: Suite) -> list[Finding]:
    """What can be told of both without Spark."""
    raw, lake = suite.environment.raw, suite.environment.lake
    where = f"{suite.conf}/env/{suite.environment.name}.yaml"
    found = _kept("raw", lambda: _raw(raw, where))
    found += _kept("lake", lambda: _lake(lake))
    found += _kept("storage", lambda: _storage(lake))
    return found + _kept("disk", lambda: _disk(lake))


def local(place: str) -> str | None:
    """The folder of a place on this machine's disks; None for a bucket or another store."""
    scheme, colon, rest = place.partition(":")
    if not colon or "/" in scheme:
        return place
    return "/" + rest.lstrip("/") if scheme == "file" else None


def _kept(check: str, part: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """One part must not keep the others from being looked at."""
    try:
        return list(part())
    except HeadgateError as error:
        return [failed(check, error)]
    except OSError as error:
        return [failed(check, unusable(error, str(error.filename or "")))]


def _raw(place: str, where: str) -> Iterator[Finding]:
    folder = local(place)
    if folder is None:
        yield _untried("raw", place)
        return
    fix = f"put files there, or set raw: in {where}"
    if not Path(folder).exists():
        yield warned("raw", f"{folder} is not there yet", fix)
        return
    below = Path(folder).iterdir()  # fails where it is no folder, or may not be read
    seen = sum(1 for entry in below if not entry.name.startswith(("_", ".")) and _readable(entry))
    files = sum(1 for _ in islice(_files(Path(folder)), ENOUGH))
    if not seen:
        yield warned("raw", f"{folder} is empty", fix)
    else:
        most = "or more " if files == ENOUGH else ""
        yield fine("raw", f"{folder}: {files:,} {most}file{'' if files == 1 else 's'}")


def _files(folder: Path) -> Iterator[Path]:
    for above, _, names in os.walk(folder):
        yield from (Path(above, name) for name in names if not name.startswith(("_", ".")))


def _readable(entry: Path) -> bool:
    if not os.access(entry, os.R_OK | os.X_OK if entry.is_dir() else os.R_OK):
        raise Infrastructure(
            "no permission to read it", where=str(entry), next="check the owner and mode"
        )
    return True


def _lake(place: str) -> Iterator[Finding]:
    folder = local(place)
    if folder is None:
        yield _untried("lake", place)
        return
    there = machine.standing(folder)
    tried = machine.tried(there)
    made = folder if there == Path(folder) else f"{folder} (to be made)"
    if not tried.exclusive:
        raise Refused(
            "two writers can make the same file: this disk cannot keep runs apart",
            where=str(there),
            next="keep the lake on a local disk, or on a mount with locks",
        )
    yield fine("lake", f"{made} can be written")
    yield _clock(tried.skew)


def _clock(skew: float) -> Finding:
    said = f"the disk's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this one"
    if abs(skew) > MOST_SKEW:
        return failed("clock", Infrastructure(said, next="set both by NTP: leases go by them"))
    if abs(skew) > SKEW:
        return warned("clock", said, "set both by NTP: leases go by them")
    return fine("clock", "this machine's clock and the disk's agree")


def _storage(place: str) -> Iterator[Finding]:
    """Whether several drivers may write this lake at once."""
    scheme, folder = place.partition(":")[0], local(place)
    if scheme in BUCKETS:
        yield _bucket(scheme)
        yield _credentials()
    elif folder is None:
        yield warned(
            "storage", f"{scheme}:// was not tried with Headgate", "run one job at a time on it"
        )
    else:
        yield _disk_kind(machine.mounted_as(folder))


def _bucket(scheme: str) -> Finding:
    """Whether commits on S3 are puts on the condition that nothing is there."""
    if scheme in s3a.SCHEMES and s3a.conditional():
        try:
            found = s3a.connector(fetch=False)
        except Infrastructure as error:
            return warned("storage", error.what, error.next)
        said = f" ({len(found)} jars in {found[0].parent})" if found else ""
        return fine(
            "storage", f"S3, with conditional puts{said}: several drivers at once are safe;"
            " the first run asks the store whether it knows them",
        )  # fmt: skip
    return failed(
        "storage",
        Refused(
            f"{scheme}:// with this Spark has no conditional puts: of two drivers that commit at"
            " one instant one would be lost",
            next=f"write s3a://, and {pairs.DEFAULT.install}; or guard commits by DynamoDB"
            " (S3DynamoDBLogStore)",
        ),
    )


def _disk_kind(kind: str | None) -> Finding:
    name = (kind or "").lower()
    if any(bucket in name for bucket in MOUNTED_BUCKETS):
        return failed(
            "storage",
            Refused(
                f"the lake is a bucket mounted as a folder ({kind}): it cannot keep runs apart",
                next="write to the bucket itself, or to a disk",
            ),
        )
    if name.startswith(SHARED_DISKS):
        said = f"the lake is on a shared disk ({kind}): runs are kept apart if its locks work"
        return warned("storage", said, "run one job at a time unless you have tried it")
    return fine(
        "storage", f"a disk{f' ({kind})' if kind else ''}: several drivers at once are safe"
    )


def _credentials() -> Finding:
    names = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE")
    named = next((name for name in names if os.environ.get(name)), None)
    if named:
        return fine("credentials", f"S3's come from {named}")
    home = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")).expanduser()
    if home.is_file():
        return fine("credentials", f"S3's come from {home}")
    return warned(
        "credentials",
        "none for S3 in the environment: the machine's own role is what is left",
        "export AWS_PROFILE, or run where a role is attached",
    )


def _disk(lake: str) -> Iterator[Finding]:
    """Room for the lake, and for what Spark spills while it sorts."""
    spill = os.environ.get("SPARK_LOCAL_DIRS", tempfile.gettempdir()).split(",")[0]
    folders = {"lake": local(lake), "Spark's spill": spill}
    free = {name: machine.room(folder) for name, folder in folders.items() if folder}
    said = ", ".join(f"{room / GIB:,.1f} GiB for {name}" for name, room in free.items()) + " free"
    fix = "make room, or set SPARK_LOCAL_DIRS to a larger disk"
    if min(free.values()) < NONE:
        raise Infrastructure(said, next=fix)
    if min(free.values()) < LITTLE:
        yield warned("disk", said, fix)
    else:
        yield fine("disk", said)


def _untried(check: str, place: str) -> Finding:
    return Finding(check, "ok", f"{place} is reached through Spark only: not tried here")
