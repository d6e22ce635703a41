"""The API of devices and staff, under /api/v1."""
