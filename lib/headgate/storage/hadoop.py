"""Files of any scheme that Spark's JVM can reach: HDFS and the object stores."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JError, Py4JJavaError

from headgate.core.errors import Infrastructure, Refused
from headgate.storage import logstore, s3a
from headgate.storage.faults import of_storage
from headgate.storage.files import FileInfo
from headgate.storage.names import encoded, escaped, hidden

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Here a whole object appears at once, and a rename is a copy.
OBJECT_STORES = ("s3", "s3a", "s3n", "gs", "oss", "cosn", "obs")
# Of s3a in Hadoop 3.4.2 and newer.
ABSENT = "fs.option.create.conditional.overwrite"
UNCHANGED = "fs.option.create.conditional.overwrite.etag"
LOCK_SECONDS = 30


class HadoopFiles:
    """Files behind a Hadoop file system.

    `create_exclusive` and `replace_if` have one winner on S3, by conditional puts. On HDFS
    `replace_if` holds a lock file meanwhile; a holder that stalls for longer than the lock lives
    may write beside its successor. What rests on it is therefore fenced once more by the table's
    own commits. Where one of two cannot be kept off, `vouch` refuses.
    """

    def __init__(self, root: str, spark: SparkSession) -> None:
        jvm: Any = spark._jvm
        self._jvm = jvm
        self._conf: Any = spark._jsc.hadoopConfiguration()
        with _told(root):
            path = self._jvm.org.apache.hadoop.fs.Path(root)
            self._fs: Any = path.getFileSystem(self._conf)
            qualified = self._fs.makeQualified(path)
        self.root: str = qualified.toString()
        self._scheme: str = qualified.toUri().getScheme()
        self._conditional: bool = self._fs.getClass().getName() == s3a.FILE_SYSTEM
        self._spark = spark
        # Spark shows what the file system lists, which for local files has one slash.
        self._shown: str = qualified.toUri().toString().replace("file:///", "file:/", 1)

    def __repr__(self) -> str:
        return f"HadoopFiles({self.root!r})"

    def listing(self, prefix: str = "", *, every: bool = False) -> Iterator[FileInfo]:
        yield from sorted(self._below(prefix.strip("/"), every))

    def _below(self, prefix: str, every: bool) -> Iterator[FileInfo]:
        start = len(self._at("").toString().rstrip("/")) + 1
        with _told(self._name(prefix)):
            try:
                statuses = self._fs.listFiles(self._at(prefix), True)
            except Py4JJavaError as error:
                if _class_of(error) == "java.io.FileNotFoundException":
                    return
                raise
            while statuses.hasNext():
                status = statuses.next()
                path: str = status.getPath().toString()[start:]
                below = path[len(prefix) + 1 :] if prefix else path
                if every or not any(hidden(name) for name in below.split("/")):
                    modified = status.getModificationTime() * 1_000_000
                    yield FileInfo(path, status.getLen(), modified)

    def exists(self, path: str) -> bool:
        with _told(self._name(path)):
            return bool(self._fs.exists(self._at(path)))

    def read_bytes(self, path: str, start: int = 0, length: int | None = None) -> bytes:
        with _told(self._name(path)), self._opened(path) as stream:
            if start:
                stream.seek(min(start, self._fs.getFileStatus(self._at(path)).getLen()))
            if length is None:
                return bytes(self._jvm.org.apache.commons.io.IOUtils.toByteArray(stream))
            bounded = self._jvm.org.apache.commons.io.input.BoundedInputStream(stream, length)
            return bytes(self._jvm.org.apache.commons.io.IOUtils.toByteArray(bounded))

    def write_atomic(self, path: str, content: bytes) -> None:
        with _told(self._name(path)):
            if self._scheme in OBJECT_STORES:
                self._written(self._at(path), content)
                return
            folder, _, name = path.rpartition("/")
            made = self._at(f"{folder}/.{name}.{uuid.uuid4().hex[:12]}".lstrip("/"))
            self._written(made, content)
            context = self._jvm.org.apache.hadoop.fs.FileContext.getFileContext(
                self._fs.getUri(), self._conf
            )
            rename: Any = getattr(self._jvm.org.apache.hadoop.fs, "Options$Rename")
            how = self._jvm.java.lang.reflect.Array.newInstance(rename.OVERWRITE.getClass(), 1)
            how[0] = rename.OVERWRITE
            context.rename(made, self._at(path), how)

    def create_exclusive(self, path: str, content: bytes) -> bool:
        with _told(self._name(path)):
            try:
                self._created(self._at(path), content)
            except Py4JJavaError as error:
                if not _was_there(error):
                    raise
                # The reply to a put of ours can be lost, and its repetition then be refused.
                return self._conditional and self.read_bytes(path) == content and len(content) > 0
            return True

    def _created(self, path: Any, content: bytes) -> None:
        if self._conditional:
            self._put(path, content, ABSENT, "true")
        else:
            self._written(path, content, overwrite=False)

    def _put(self, path: Any, content: bytes, condition: str, value: str) -> None:
        """One put that the store itself refuses unless its condition holds."""
        stream = self._fs.createFile(path).recursive().must(condition, value).build()
        stream.write(bytearray(content))
        stream.close()

    def vouch(self) -> None:
        if self._scheme not in OBJECT_STORES or self._scheme == "gs":
            return
        said: str = self._spark.conf.get(f"spark.delta.logStore.{self._scheme}.impl", "") or ""
        if said == logstore.CLASS and self._conditional:
            self._try_conditions()
        elif "DynamoDB" not in said:
            raise Refused(
                "two drivers that commit here at one instant would both believe that they had",
                where=self.root,
                next="write s3a://, and let `headgate` or ./spark-submit.sh start Spark, with the"
                " versions that `headgate doctor` names; or guard commits by S3DynamoDBLogStore"
                f" (spark.delta.logStore.{self._scheme}.impl)",
            )

    def _try_conditions(self) -> None:
        """Whether this store refuses a second file of one name; asked once for a lake."""
        known = "ops/storage.json"
        if self.exists(known):
            return
        tried = f"ops/.tried-{uuid.uuid4().hex[:12]}"
        try:
            self.write_atomic(tried, b"first")
            refused = not self.create_exclusive(tried, b"second")
            replaced = refused and self.replace_if(tried, b"first", b"third")
        finally:
            self.delete(tried)
        if not (refused and replaced):
            raise Refused(
                "this store takes no conditional put: of two drivers that commit at one instant"
                " one would be lost", where=self.root,
                next="use a store that does (AWS, MinIO, Ceph and others do), or a disk",
            )  # fmt: skip
        self.write_atomic(known, b'{"conditional_puts": true}\n')

    def replace_if(self, path: str, expected: bytes | None, new: bytes) -> bool:
        if expected is None and self._conditional:
            return self.create_exclusive(path, new)
        if expected is not None and self._conditional:
            return self._replaced(path, expected, new)
        with self._locked(path):
            try:
                content: bytes | None = self.read_bytes(path)
            except FileNotFoundError:
                content = None
            if content != expected:
                return False
            self.write_atomic(path, new)
            return True

    def _replaced(self, path: str, expected: bytes, new: bytes) -> bool:
        """By the mark that a store gives to each content: it is asked for before the content."""
        with _told(self._name(path)):
            try:
                mark = self._fs.getFileStatus(self._at(path)).getEtag()
                if self.read_bytes(path) != expected:
                    return False
            except FileNotFoundError:
                return False
            try:
                self._put(self._at(path), new, UNCHANGED, mark)
            except Py4JJavaError as error:
                if not _was_there(error):
                    raise
                return self.read_bytes(path) == new  # as for `create_exclusive`
            return True

    @contextlib.contextmanager
    def _locked(self, path: str) -> Iterator[None]:
        folder, _, name = path.rpartition("/")
        lock = f"{folder}/.{name}.lock".lstrip("/")
        mine = uuid.uuid4().hex.encode()
        seen, since = b"", time.monotonic()
        while not self.create_exclusive(lock, mine):
            with contextlib.suppress(FileNotFoundError):
                holder = self.read_bytes(lock)
                if holder != seen:
                    seen, since = holder, time.monotonic()
                elif time.monotonic() - since > LOCK_SECONDS:
                    self.delete(lock)  # nobody needs it for so long: its holder is gone
            time.sleep(0.05)
        try:
            yield
        finally:
            with contextlib.suppress(FileNotFoundError):
                if self.read_bytes(lock) == mine:
                    self.delete(lock)

    def delete(self, path: str) -> None:
        if not path.strip("/"):
            raise ValueError("the root itself is not deleted")
        with _told(self._name(path)):
            self._fs.delete(self._at(path), True)

    def digest(self, path: str) -> str:
        with _told(self._name(path)), self._opened(path) as stream:
            digests = self._jvm.org.apache.commons.codec.digest.DigestUtils
            return str(digests.sha256Hex(stream))

    def uri(self, path: str) -> str:
        return f"{self._shown.rstrip('/')}/{encoded(path)}" if path else self._shown

    def for_spark(self, path: str) -> str:
        return escaped(self._name(path))

    def _name(self, path: str) -> str:
        return f"{self.root.rstrip('/')}/{path}" if path else self.root

    def _at(self, path: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(self._name(path))

    @contextlib.contextmanager
    def _opened(self, path: str) -> Iterator[Any]:
        stream = self._fs.open(self._at(path))
        try:
            yield stream
        finally:
            stream.close()

    def _written(self, path: Any, content: bytes, *, overwrite: bool = True) -> None:
        stream = self._fs.create(path, overwrite)
        stream.write(bytearray(content))
        stream.close()


def _class_of(error: Py4JJavaError) -> str:
    return str(error.java_exception.getClass().getName())


def _chain(error: Py4JJavaError) -> Iterator[str]:
    """The exception and its causes, as text."""
    cause = error.java_exception
    for _ in range(10):
        if cause is None:
            return
        yield str(cause.toString())
        cause = cause.getCause()


def _was_there(error: Py4JJavaError) -> bool:
    return any("FileAlreadyExistsException" in text or "412" in text for text in _chain(error))


@contextlib.contextmanager
def _told(where: str) -> Iterator[None]:
    """Faults of the storage as errors that a person can act on; a missing file stays one."""
    try:
        yield
    except Py4JJavaError as error:
        if _class_of(error) == "java.io.FileNotFoundException":
            raise FileNotFoundError(where) from None
        if known := of_storage(error):
            raise type(known)(known.what, where=where, next=known.next) from error
        said = next(_chain(error)).splitlines()[0][:200]
        raise Infrastructure(said, where=where, next="headgate doctor") from error
    except Py4JError as error:
        raise Infrastructure("Spark's JVM is gone", where=where, next="run again") from error
