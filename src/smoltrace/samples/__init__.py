"""Made-up data that looks measured: metric documents of a GPU run and an API run, and a store with runs of every kind.

Nothing here asks a model or reads a device. What is made depends on a seed alone, and it is written by the code that
writes real runs, so its books balance as those of a real run do.
"""
