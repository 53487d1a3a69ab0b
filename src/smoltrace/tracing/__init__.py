"""Tracing: spans of agents, steps, model calls and tools, by delegation; nothing is patched."""
