"""What a checkpoint file holds, told from its header."""
