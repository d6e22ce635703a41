"""Otklik: customer feedback of shops with a door, on one live journey map."""
