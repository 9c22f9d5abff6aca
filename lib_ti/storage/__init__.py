"""Files written whole, replaced ones kept, folders locked."""
