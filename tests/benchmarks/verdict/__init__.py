"""How often the verdict on a run is right: runs whose true course is known, and the rules on them."""
