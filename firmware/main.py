"""Composes the city: config -> sensors -> city -> roads -> run."""
