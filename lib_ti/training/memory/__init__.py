"""How much memory a step takes, and the ways to take less: which are possible, which one fits, which is next."""
