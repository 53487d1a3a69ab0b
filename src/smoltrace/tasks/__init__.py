"""Tasks: what an agent is asked, from a built-in suite, a file or a dataset on the Hub."""
