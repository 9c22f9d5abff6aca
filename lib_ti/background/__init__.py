"""What runs in the background of the process: training runs, preparation, captioning, contact sheets."""
