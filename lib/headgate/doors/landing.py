"""`headgate land`: local files into the raw zone, without Spark."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from headgate.core.errors import Usage
from headgate.core.landing import Encryption, Offer, prefix_of
from headgate.doors.opening import understood
from headgate.doors.tally import Tally
from headgate.doors.words import Answer
from headgate.stages.landing import Orders, followed, landed
from headgate.storage.landing import place_for
from headgate.storage.offered import offered

SETTLE = 5.0  # seconds


def land(arguments: argparse.Namespace) -> Answer:
    """Land what is named; with --follow, what appears."""
    prefix, encryption, settle = prefix_of(arguments.to), _encryption(arguments), _settle(arguments)
    suite = understood(arguments)
    place = place_for(suite.environment, encryption)
    orders = Orders(replace=arguments.replace, together=settle is None)
    with Tally(suite, follows=settle is not None, quiet=arguments.json) as tally, tally.kept():
        found = offered(arguments.files, prefix, place.folder)
        if settle is None:
            if files := tally.all_of(found):
                place.ready()
                tally.take(landed(place, files, orders, tally.meter))
        else:
            place.ready()
            tally.line(f"following {', '.join(arguments.files)}; Ctrl-C ends it")

            def look() -> Sequence[Offer]:
                return tally.some_of(offered(arguments.files, prefix, place.folder))

            tally.take(followed(place, look, settle, orders, tally.meter, tally.trouble))
    tally.summary()
    return tally.shown(), tally.exit_code


def _encryption(arguments: argparse.Namespace) -> Encryption | None:
    if arguments.kms_key and arguments.encrypt != "aws:kms":
        raise Usage("--kms-key goes with --encrypt aws:kms", next="--encrypt aws:kms --kms-key ID")
    return Encryption(arguments.encrypt, arguments.kms_key) if arguments.encrypt else None


def _settle(arguments: argparse.Namespace) -> float | None:
    """How long a file must have been at rest; None without --follow."""
    if not arguments.follow:
        if arguments.settle is not None:
            raise Usage("--settle goes with --follow", next=f"--follow --settle {SETTLE:g}")
        return None
    for name in arguments.files:
        if not Path(name).is_dir():
            raise Usage("it is no folder", where=name, next="name folders to follow")
    settle = SETTLE if arguments.settle is None else float(arguments.settle)
    if not 0 < settle < 1e6:
        raise Usage("--settle takes seconds above 0", next=f"--settle {SETTLE:g}")
    return settle
