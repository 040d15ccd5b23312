"""Roads between cities, as a city sees them, and the ledger of merchants under way."""
