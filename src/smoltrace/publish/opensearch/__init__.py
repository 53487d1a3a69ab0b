"""OpenSearch: the four datasets of a run as four indices."""
