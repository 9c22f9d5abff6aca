"""The part of the sub-tab Results that compares a run with another one."""
