"""What a run does besides taking steps: a callback for each duty, called in the order recorder, evaluator, saver, …"""
