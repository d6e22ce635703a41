"""Use cases: one call is one of them, whole or not at all."""
