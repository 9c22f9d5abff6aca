"""What one optimizer step consists of: batch, objective, gradients, optimizer."""
