"""Questions asked of the warehouse: health, status, trace, changes, evaluation. Reads the warehouse, writes files."""
