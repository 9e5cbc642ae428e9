"""`make bench`: all measurements, one after another."""

import sys

from bench import marts, merge, pipeline, publication

pipeline.main(sys.argv[1:])
print()
merge.main([])
print()
publication.main([])
print()
marts.main([])
