"""Fine-tuning, the predictions of fine-tuned models, and pretraining."""
