"""The run: from a configuration to a finished directory of books."""
