cp docs/api.md src/
