"""One module for each question; every row is an observation, of both sides, by the same means."""
