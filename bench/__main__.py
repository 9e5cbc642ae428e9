"""`make bench`: all measurements, one after another."""

from bench import merge, pipeline

pipeline.main([])
print()
merge.main([])
