"""Reports of measurements, as a service and as a command."""
