"""The books: pure functions that turn spans into calls, and calls into tokens and money.

Nothing here reads a file, opens a socket or imports another part of smoltrace, so it can be read, tested and trusted
alone.
"""
