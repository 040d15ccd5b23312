"""`python -m deskonomy_host`: the deskonomy command, for programs that start it."""

import sys

from .cli import main

sys.exit(main())
