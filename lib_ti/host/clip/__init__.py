"""CLIP's tokens, contexts and text network, the same for all hosts."""
