"""`python -m headgate`."""

from headgate.doors.cli import main

raise SystemExit(main())
