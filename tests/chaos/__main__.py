"""`python -m tests.chaos [--seed N] [--seconds S] [--keep FOLDER]`: a shop in trouble.

Two API processes, two Celery workers and two relays on PostgreSQL, two Valkeys, a payment gateway
and a mail server, all started for the run and ended after it; shoppers, and faults in all of
these. Afterwards an independent checker reads all records. The exit code is 1 if a promise was
broken.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos.evidence import timeline
from tests.chaos.faults import FAULTS
from tests.chaos.planted import PLANTS
from tests.chaos.run import Outcome, run
from tests.chaos.stage import StageError
from tests.servers import ServerError

NAMES = [fault.name for fault in FAULTS]
SHOWN = 10
"""Violating orders whose whole story is printed."""


def main() -> int:
    options = _options()
    try:
        with TemporaryDirectory(prefix="quickshop-chaos-") as temporary:
            folder = options.keep or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            sys.stderr.write(f"chaos seed {options.seed}: about {options.seconds + 40:.0f} s…\n")
            outcome = run(
                options.seed,
                options.seconds,
                folder,
                faults=[f for f in FAULTS if f.name in (options.only or NAMES)],
                plant=options.plant,
            )
    except (ServerError, StageError) as error:
        sys.stderr.write(f"chaos: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    _report(outcome, verbose=options.verbose)
    return 1 if outcome.violations else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="shop chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000), metavar="N")
    parser.add_argument("--seconds", type=float, default=30, metavar="S", help="of load")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep all that was written")
    parser.add_argument(
        "--only", action="append", choices=NAMES, metavar="KIND", help="of fault; may be repeated"
    )
    parser.add_argument("--verbose", action="store_true", help="say what happened, in any case")
    parser.add_argument("--plant", choices=PLANTS, help="a bug, to see it caught")
    return parser.parse_args()


def _say(line: object) -> None:
    sys.stdout.write(f"{line}\n")


def _report(outcome: Outcome, *, verbose: bool) -> None:
    if outcome.violations or verbose:
        for incident in outcome.incidents:
            _say(incident)
    for subject in list(dict.fromkeys(v.subject for v in outcome.violations))[:SHOWN]:
        _say(f"\n== {subject}")
        for line in timeline(outcome.records, subject):
            _say(line)
    for name, log in outcome.logs.items() if outcome.violations else ():
        _say(f"\n== {name}\n{log}")
    for violation in outcome.violations:
        _say(violation)
    _say(outcome)


if __name__ == "__main__":
    sys.exit(main())
