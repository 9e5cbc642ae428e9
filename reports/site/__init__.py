"""The static page of a publication, for citizens."""
