"""What is published of a finished warehouse: packages, tables, catalogue, checksums."""
