"""Publishing: the datasets of a finished run on the Hugging Face Hub."""
