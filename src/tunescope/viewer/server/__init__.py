"""A site served: the same pages, and beside them what needs a server."""
