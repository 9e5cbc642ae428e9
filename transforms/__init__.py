"""Pure functions: source rows -> identity -> OCDS releases -> compiled records. No clock, network or database."""
