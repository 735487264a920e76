"""`python3 -m corpus OUT`, run in bench/."""

import sys

from .generate import main

sys.exit(main())
