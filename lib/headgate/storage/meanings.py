"""What the names of errors mean: Spark's and Delta's conditions, Java's exceptions."""

from __future__ import annotations

from typing import Final

AGAIN: Final = "run again"

# What a value of the data did, by the condition's first word; and what to write instead.
VALUES: Final[dict[str, tuple[str, str]]] = {
    "CAST_INVALID_INPUT": ("a value cannot be cast from {sourceType} to {targetType}", "try_cast"),
    "CAST_OVERFLOW": ("a value is too large to cast from {sourceType} to {targetType}", "try_cast"),
    "CAST_OVERFLOW_IN_TABLE_INSERT": ("a value does not fit the column {columnName}", "try_cast"),
    "DIVIDE_BY_ZERO": ("division by zero", "try_divide(a, b), or a / nullif(b, 0)"),
    "REMAINDER_BY_ZERO": ("division by zero", "try_mod(a, b), or a % nullif(b, 0)"),
    "ARITHMETIC_OVERFLOW": ("a number outgrows its type", "try_add and the like, or a wider type"),
    "BINARY_ARITHMETIC_OVERFLOW": ("a number outgrows its type", "a wider type"),
    "INTERVAL_ARITHMETIC_OVERFLOW": ("an interval outgrows its type", "a shorter interval"),
    "NUMERIC_VALUE_OUT_OF_RANGE": (
        "a number does not fit decimal({precision}, {scale})",
        "a wider decimal, or try_cast",
    ),
    "DATETIME_OVERFLOW": ("a date leaves the calendar", "a condition on it first"),
    "CANNOT_PARSE_TIMESTAMP": ("a text is not a time of this format", "try_to_timestamp"),
    "INVALID_ARRAY_INDEX": ("an array has no such place", "get(array, index)"),
    "INVALID_ARRAY_INDEX_IN_ELEMENT_AT": ("an array has no such place", "try_element_at"),
    "MAP_KEY_DOES_NOT_EXIST": ("a map has no such key", "try_element_at"),
    "DUPLICATED_MAP_KEY": ("a map gets one key twice", "map_from_entries of distinct keys"),
    "NULL_MAP_KEY": ("a map gets a key that is null", "coalesce on the key"),
    "NOT_NULL_ASSERT_VIOLATION": ("null where a column allows none", "coalesce, or a rule"),
    "SCALAR_SUBQUERY_TOO_MANY_ROWS": ("a subquery gives more than one row", "max(…), or a join"),
    "MERGE_CARDINALITY_VIOLATION": ("two rows would change one row of the table", "a whole key"),
    "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE": (
        "two rows would change one row of the table",
        "a whole key",
    ),
    "USER_RAISED_EXCEPTION": ("raise_error or assert_true was reached", "where, or a row rule"),
}

# What to look for in a Java class, a condition or a message; what it means; what to type next.
STORAGE: Final[tuple[tuple[str, str, str], ...]] = (
    (r"No space left on device|DiskOutOfSpace", "the disk is full", "make room, then run again"),
    (r"Disk quota exceeded|QuotaExceeded", "the quota is used up", "make room, then run again"),
    (r"Read-only file system", "the disk is read-only", "mount it for writing"),
    (
        r"NoAwsCredentials|NoAuthWithAWS|Unable to load credentials",
        "no credentials for S3 were found",
        "export AWS_PROFILE, or run where a role is attached",
    ),
    (
        r"InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken|TokenRefreshRequired",
        "S3 does not accept these credentials, or no longer",
        "sign on again, or correct spark.hadoop.fs.s3a.* in conf/env",
    ),
    (
        r"NoSuchBucket|UnknownStoreException",
        "there is no such bucket",
        "make it, or correct raw: and lake: in conf/env",
    ),
    (
        r"PermanentRedirect|AuthorizationHeaderMalformed|Status Code: 301",
        "the bucket is in another region",
        "set spark.hadoop.fs.s3a.endpoint.region in conf/env",
    ),
    (
        r"RequestTimeTooSkewed",
        "this machine's clock is wrong: S3 refuses what is signed by it",
        "set it by NTP",
    ),
    (
        r"KMS\.|KMSInvalid|kms:",
        "the key of KMS cannot be used",
        "let this user use that key, or choose another in conf/env",
    ),
    (
        r"AccessDenied|AccessControlException|Permission denied|Forbidden|\(Status Code: 403",
        "no permission to read or write",
        "check the rights of this user on the folder or bucket (on S3: s3:ListBucket, s3:GetObject,"
        " s3:PutObject, s3:DeleteObject)",
    ),
    (
        r"DELTA_CANNOT_CREATE_LOG_PATH|Mkdirs failed|Unable to create folder",
        "the lake cannot be written",
        "check that its folder exists and belongs to you",
    ),
    (
        r"Python worker exited unexpectedly|Python worker failed to connect",
        "a Python worker died: it was killed, ran out of memory, or took another Python",
        "headgate doctor",
    ),
    (
        r"OutOfMemoryError|UNABLE_TO_ACQUIRE_MEMORY|GC overhead limit|SparkOutOfMemory",
        "Spark ran out of memory",
        "set spark.driver.memory (on a cluster spark.executor.memory) higher, in conf/env",
    ),
    (
        r"ExecutorLostFailure|Executor heartbeat timed out|Slave lost|Worker lost|FetchFailed"
        r"|Master removed our application|All masters are unresponsive",
        "the cluster lost its workers",
        AGAIN,
    ),
    (
        r"SparkContext (?:has been|was) (?:shut down|stopped)|stopped SparkContext",
        "Spark was stopped while it worked",
        AGAIN,
    ),
    (
        r"java\.net\.(?:Connect|Socket|UnknownHost|NoRoute|Http|Bind|Protocol)\w*"
        r"|SdkClientException|ConnectTimeout|Connection (?:refused|reset|timed out)"
        r"|SlowDown|Service ?Unavailable",
        "the network or the storage did not answer",
        AGAIN,
    ),
    (
        r"Class org\.apache\.hadoop\.fs\.\S+ not found|No FileSystem for scheme"
        r"|UnsupportedFileSystem",
        "Spark has no driver for this kind of storage",
        "headgate doctor",
    ),
)

CONCURRENT: Final = r"io\.delta\.(?:exceptions\.)?\w*Concurrent\w*|DELTA_CONCURRENT_\w+"
CANCELLED: Final = r"(?:\[SPARK_JOB_CANCELLED\] )?Job \d+ cancelled"
# Conditions under which Spark names the file that it was reading.
READING: Final = ("FAILED_READ_FILE", "CANNOT_READ_FILE_FOOTER", "_LEGACY_ERROR_TEMP_2064")
NOTHING_THERE: Final = ("PATH_NOT_FOUND", "DELTA_PATH_DOES_NOT_EXIST", "DELTA_TABLE_NOT_FOUND")
# The messages of these Python exceptions speak of code, not of data.
OF_CODE: Final = ("NameError", "ImportError", "SyntaxError", "IndentationError")
