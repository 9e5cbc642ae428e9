"""`make bench`: all measurements, one after another."""

import sys

from bench import merge, pipeline

pipeline.main(sys.argv[1:])
print()
merge.main([])
