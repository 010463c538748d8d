import sys

from bench.path.run import main

sys.exit(main())
