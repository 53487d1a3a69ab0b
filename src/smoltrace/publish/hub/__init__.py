"""The Hugging Face Hub: datasets and static pages of runs, written, read back and cleaned up."""
