"""Text: bytes to characters and back, positions, edits, unified diff. Imports nothing of ours."""
