"""What quality checks found, to read: a page with charts for all, and a sheet for each office of what it should mend.

`page` writes the page, `sheets` the offices' sheets; `words.csv` explains each rule, `mending.csv` names from which
field of which service a value of a record comes, and so where to mend it.
"""
