"""Where tests run: threads of this process, or worker processes that can be killed."""
