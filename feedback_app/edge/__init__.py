"""What every page and API route shares: rights, languages, errors, headers and limits."""
