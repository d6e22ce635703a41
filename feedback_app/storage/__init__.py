"""The database: tables and queries by subject, the one writer, migrations."""
