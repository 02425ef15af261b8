"""The proof: the protocol, the engine's command, what images and pages say."""
