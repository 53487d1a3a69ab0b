"""The model's boundary: who may call when, what a failed call means, and whether it is made again."""
