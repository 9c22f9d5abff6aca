"""The part of the sub-tab Results about the chosen step: its images, its checkpoint, and what is done with them."""
