"""A small town with known truth that serves fakes of the source systems."""
