"""Scorers: a dataclass with one method that says of an answer a bool, a number or a label."""
