"""The rules of customer feedback, in plain Python: knows nobody, imports the standard library alone."""
