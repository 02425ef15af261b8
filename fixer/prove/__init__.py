"""Real builds before and after: `dockfix verify`."""
