"""The records: the typed schema of the published datasets and the builders that fill it from the books."""
