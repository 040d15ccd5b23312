"""The economy: goods, the rules of a tick, cities and their residents, the clock that runs them."""
