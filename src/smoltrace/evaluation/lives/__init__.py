"""A run in the hands of a process: taken, described, gone on with, and brought to an end."""
