"""The operators' page: a web application over reports and pipeline."""
