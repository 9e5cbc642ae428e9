"""Red flags: signs, worked out of OCDS states, that somebody should look. A flag proves nothing.

`model` defines flags, `registry` lists them and runs them; the rules stand by what they look at: `process` (one
process), `bids`, `organisations` (buyers and suppliers), `money` (awards, contracts and payments over time).
"""
