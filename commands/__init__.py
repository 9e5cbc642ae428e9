"""The `jejak` command line: talks to the shell and calls `pipeline` and `reports`."""
