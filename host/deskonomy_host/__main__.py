"""`python -m deskonomy_host`: the `deskonomy` command, for programs that start it."""

import sys

from deskonomy_host.cli import main

sys.exit(main())
