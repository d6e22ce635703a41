"""The staff's pages, a module a subject."""
