"""The part of the sub-tab Results about fewer vectors."""
