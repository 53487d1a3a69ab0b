"""From a specification to a smolagents agent: models of every provider, tools, prompts, and agents of one's own."""
