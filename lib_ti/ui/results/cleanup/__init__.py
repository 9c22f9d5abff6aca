"""The part of the sub-tab Results that deletes or archives the checkpoints of a run."""
