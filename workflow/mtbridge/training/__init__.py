"""Fine-tuning, prediction and pretraining."""
