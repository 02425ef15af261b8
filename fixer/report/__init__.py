"""Reports: pure functions from outcomes to text."""
